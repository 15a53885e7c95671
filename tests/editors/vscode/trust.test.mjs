// A workspace that is not trusted. First of all: the window starts restricted, and is trusted from here on.

import { check, test } from './harness.mjs';

test('a restricted window searches, does not ask, and says why until it is trusted', async ({ code }) => {
  await code.search('how did I fix the router', 'evenings-without-wifi');
  await code.escape();
  await code.run('Notes: Open Chat');
  await code.chat.page.getByText('This workspace is not trusted').waitFor();
  check(await code.chat.box.isDisabled(), 'nothing can be asked');
  await code.chat.page.getByRole('button', { name: 'Manage Trust' }).click();
  await code.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).click();
  await code.chat.page.getByText('This workspace is not trusted').waitFor({ state: 'hidden' });
  check(await code.chat.box.isEnabled(), 'now it can');
  await code.page.locator('.workspace-trust-editor').click({ position: { x: 5, y: 5 } });
});
