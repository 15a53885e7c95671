// The search: as one types, with a preview, and what is done with the hit that is chosen.

import { test } from './harness.mjs';

test('a search shows hits while one types, and Enter jumps to the line', async ({ code }) => {
  await code.search('how did I fix the router', 'evenings-without-wifi');
  await code.page.keyboard.press('Enter');
  await code.tab('evenings-without-wifi.md');
});
