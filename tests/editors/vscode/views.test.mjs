// The side views: what they show, what a row does, and that they follow.

import { writeFileSync } from 'node:fs';

import { same, test, until } from './harness.mjs';

const rows = (view) => view.locator('.monaco-list-row');

test('Related follows the cursor, and a row opens its note at the section', async ({ code }) => {
  await code.edit('kitchen/sourdough.md', 10);
  await code.run('Notes: Show Related Notes');
  const related = rows(code.view('Related'));
  await related.filter({ hasText: /starter/i }).first().waitFor();
  await code.edit('homelab/evenings-without-wifi.md', 36);
  // Rows may move while they are being filled: a click counts when its note is there.
  await until('the note of the row is shown', async () => {
    await related.filter({ hasText: 'Home network' }).first().click();
    return (await code.page.locator('.tab.active', { hasText: 'network.md' }).count()) > 0;
  });
});

test('a row of Related is inserted as a link at the cursor', async ({ code }) => {
  await code.edit('desk/mention.md', 5);
  await code.run('Notes: Show Related Notes');
  const row = rows(code.view('Related')).filter({ hasText: 'Zwiebelkuchen' }).first();
  await row.hover();
  await row.getByRole('button', { name: 'Insert a Link' }).click();
  await code.shows('[[zwiebelkuchen|Omas Zwiebelkuchen]]');
});

test('Backlinks lists what links here, and a note that is saved elsewhere appears', async ({ code, setup }) => {
  await code.edit('homelab/network.md');
  await code.run('Notes: Show Backlinks');
  const backlinks = rows(code.view('Backlinks'));
  await backlinks.filter({ hasText: 'evenings-without-wifi.md' }).first().waitFor();
  writeFileSync(`${setup.notes}/desk/elsewhere.md`, '# Elsewhere\n\nSee [[network]] for names.\n');
  await backlinks.filter({ hasText: 'elsewhere.md' }).first().waitFor();
  await backlinks.filter({ hasText: 'See network for names.' }).first().click();
  await code.tab('elsewhere.md');
  await code.at(3);
});

test('Index tells the vault, and indexing is paused and goes on', async ({ code }) => {
  await code.run('Notes: Show Index Status');
  const view = code.view('Index');
  await rows(view).filter({ hasText: /\d+ notes/ }).first().waitFor();
  await rows(view).filter({ hasText: 'found by meaning' }).first().waitFor();
  await code.run('Notes: Pause Indexing');
  await code.bar.filter({ hasText: 'paused' }).waitFor();
  await code.run('Notes: Go on Indexing');
  await code.bar.filter({ hasText: 'paused' }).waitFor({ state: 'hidden' });
});

test('the index is brought up to date, and what was done is told', async ({ code, setup }) => {
  writeFileSync(`${setup.notes}/desk/reindexed.md`, '# Axolotl\n\nIt keeps its gills.\n');
  await code.run('Notes: Bring the Index up to Date');
  await code.page.locator('.statusbar-item', { hasText: /khoj-ls: \d+ notes indexed/ }).waitFor();
  await code.search('axolotl', 'reindexed.md');
});

test('the key of the menu lists what there is, and a row of it does it', async ({ code }) => {
  await code.press(['Control+Alt+K', 'Shift+Slash'], code.quick.getByText('khoj-ls'));
  await code.take('Conversations');
  await code.view('Conversations').locator('.pane-body').waitFor();
});

test('a file that is left out says why', async ({ code }) => {
  await code.edit('.khojignore');
  await code.run('Notes: Why Is This File');
  await code.told(/Not indexed/);
});

test('the note of today is made and shown', async ({ code }) => {
  await code.run('Notes: Open Today');
  const today = new Date().toISOString().slice(0, 10);
  await code.tab(today);
});

test('the walkthrough opens', async ({ code }) => {
  await code.run('Notes: Get Started');
  await code.page.locator('.gettingStartedContainer').getByText('Search and ask your notes').first().waitFor();
  same(await code.page.locator('.gettingStartedContainer .step-title').count(), 5);
});

test('the log and the settings file open', async ({ code }) => {
  await code.run('Notes: Open the Settings File');
  await code.tab('config.toml');
  await until('the settings are shown', async () => (await code.text()).includes('[chat]'));
});
