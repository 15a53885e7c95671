// Pictures of each main view, light and dark, for docs/screens.

import { test, until } from './harness.mjs';

const SIZE = { width: 980, height: 560 };

const pictures =
  (theme, name) =>
  async ({ code, setup }) => {
    const { page } = code;
    await page.setViewportSize(SIZE);
    try {
      await code.theme(theme);
      await code.edit('homelab/evenings-without-wifi.md', 35, 4);
      await code.run('Notes: Show Related Notes');
      await code.view('Related').locator('.monaco-list-row').first().waitFor();
      await code.view('Backlinks').locator('.monaco-list-row').first().waitFor();
      await code.fresh();
      const turn = await code.ask('What did I change at the router?');
      await code.ended(turn);
      await turn.getByText(/\d+ sources/).click();
      await code.run('Notifications: Clear All Notifications');
      await code.photograph(`vscode-chat-${name}`, setup.screens);
      await page.keyboard.press('Control+Alt+B');
      await code.search('why does the wireless drop', 'Evenings without Wi-Fi');
      await until('hits', async () => (await code.rows.count()) > 3);
      await code.photograph(`vscode-search-${name}`, setup.screens);
      await code.escape();
    } finally {
      await page.setViewportSize({ width: 1280, height: 800 }); // the tests that follow want to see more
    }
  };

test('pictures in light', pictures('Light Modern', 'light'));

test('pictures in dark', pictures('Dark Modern', 'dark'));
