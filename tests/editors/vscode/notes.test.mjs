// What VS Code does by itself with the server: hover, lenses, links, code actions, rename.

import { readFileSync } from 'node:fs';

import { check, test, until } from './harness.mjs';

test('a heading tells backlinks and related notes, and a related note opens', async ({ code }) => {
  const { page } = code;
  await code.edit('homelab/evenings-without-wifi.md', 8, 5);
  await code.run('Show or Focus Hover');
  const hover = page.locator('.monaco-hover:visible');
  await hover.getByText('Related', { exact: true }).waitFor();
  await hover.getByRole('link', { name: 'Home network' }).last().click();
  await code.tab('network.md');
});

test('a command in the hover opens the side view, and no other command could', async ({ code }) => {
  await code.edit('homelab/evenings-without-wifi.md', 8, 5);
  await code.run('Show or Focus Hover');
  await code.page.locator('.monaco-hover:visible').getByRole('link', { name: 'Related notes' }).click();
  await code.view('Related').locator('.monaco-list-row').first().waitFor();
});

test('a lens counts the links to a note and lists them', async ({ code }) => {
  await code.edit('homelab/network.md');
  const lens = code.page.locator('.codelens-decoration a', { hasText: /\d+ links?/ }).first();
  await lens.click();
  await code.page.locator('.peekview-widget .monaco-list-row').first().waitFor();
  await code.page.keyboard.press('Escape');
});

test('the definition of a link is the note', async ({ code }) => {
  await code.edit('homelab/evenings-without-wifi.md', 12, 87);
  await code.press('F12', code.page.locator('.tab.active', { hasText: 'network.md' }));
});

test('a code action of the server changes the note', async ({ code }) => {
  await code.edit('desk/toc.md', 3, 1);
  const action = code.page.locator('.action-widget').getByText('Insert or update table of contents');
  await code.press('Control+.', action);
  await action.click();
  await code.shows('[[#Second|Second]]');
});

test('a heading is renamed with the links to it, emoji and CJK before them', async ({ code, setup }) => {
  await code.edit('desk/rename.md', 3, 6);
  const box = code.page.locator('.rename-box input');
  await code.press('F2', box);
  await box.fill('Neuer Name');
  await box.press('Enter');
  await code.shows('## Neuer Name');
  await until('the link in the other note is changed', () =>
    readFileSync(`${setup.notes}/desk/referrer.md`, 'utf8').includes('😀 日本語 [[rename#Neuer Name]] too'),
  );
});

test('the words that are selected become a new note, and a link is left', async ({ code, setup }) => {
  await code.edit('desk/capture.md', 3, 1);
  await code.select(3, ['Shift+End'], 'Rye rises slowly, and best at dawn.'.length);
  await code.run('Notes: New Note');
  await code.type('Move the selection to a new note', 'Rye at dawn');
  await code.key('Enter');
  await until('a link is left', () => readFileSync(`${setup.notes}/desk/capture.md`, 'utf8').includes('[[rye-at-dawn|'));
  await code.tab('rye-at-dawn.md');
  await code.shows('Rye rises slowly');
});

test('a section moves to another note', async ({ code, setup }) => {
  const read = (name) => readFileSync(`${setup.notes}/desk/${name}`, 'utf8');
  await code.edit('desk/refile-from.md', 5, 1);
  await code.run('Notes: Move This Section');
  await code.take('refile-to.md');
  await until('it is there', () => read('refile-to.md').includes('Feed the quokka at noon.'));
  await until('it is not here any more', () => !read('refile-from.md').includes('quokka at noon'));
  check(read('refile-from.md').includes('Stays.'), 'the other section stays');
});

test('a section moves to a note that is searched for, in Org as well', async ({ code, setup }) => {
  await code.edit('desk/refile-from.org', 4, 1);
  await code.run('Notes: Move This Section');
  await code.type('Move this section to', 'water and power');
  await code.take('ledger.org');
  await until('it is there', () => readFileSync(`${setup.notes}/desk/ledger.org`, 'utf8').includes('Paid on the first.'));
});
