// The search: as one types, with a preview, and what is done with the hit that is chosen.

import { readFileSync } from 'node:fs';

import { check, same, test, until } from './harness.mjs';

const QUESTION = 'how did I fix the router';
const NOTE = 'Evenings without Wi-Fi › How I repaired it';

test('hits come while one types, the chosen one is shown behind, and Enter goes to its line', async ({ code }) => {
  await code.edit('inbox.md', 3);
  await code.search(QUESTION, NOTE);
  await code.choose(NOTE);
  await code.tab('evenings-without-wifi.md');
  await code.page.keyboard.press('Enter');
  await code.quick.waitFor({ state: 'hidden' });
  await code.at(35);
  await code.tab('evenings-without-wifi.md');
});

test('Escape leaves the search and goes back to where one was', async ({ code }) => {
  await code.edit('inbox.md', 3, 2);
  await code.search(QUESTION, NOTE);
  await code.tab('evenings-without-wifi.md');
  await code.page.keyboard.press('Escape');
  await code.tab('inbox.md');
  await code.at(3, 2);
});

test('Ctrl+Enter opens the hit to the side', async ({ code }) => {
  await code.edit('inbox.md');
  await code.search(QUESTION, NOTE);
  await code.choose(NOTE);
  await code.page.keyboard.press('Control+Enter');
  await until('two groups of editors', async () => (await code.page.locator('.editor-group-container').count()) === 2);
  await code.at(35);
});

/** Insert a link with Alt+Enter behind characters of several bytes and units, save, and compare the line. */
const writesLink =
  (file, written) =>
  async ({ code, setup }) => {
    await code.edit(`desk/${file}`, 3, 8);
    await code.search(QUESTION, NOTE);
    await code.choose(NOTE);
    await code.page.keyboard.press('Alt+Enter');
    await code.tab(file);
    await code.shows(']]before the caret');
    const saved = await until('the note is saved', () => {
      const line = readFileSync(`${setup.notes}/desk/${file}`, 'utf8').split('\n')[2];
      return line?.includes('[[') && line;
    });
    same(saved, written);
  };

test(
  'Alt+Enter writes a link behind emoji and CJK in Markdown',
  writesLink('links.md', '😀 日本語 [[evenings-without-wifi#How I repaired it|Evenings without Wi-Fi]]before the caret'),
);

test(
  'Alt+Enter writes a link behind emoji and CJK in Org',
  writesLink('links.org', '😀 日本語 [[file:../homelab/evenings-without-wifi.md::*How I repaired it][How I repaired it]]before the caret'),
);

test('a link is inserted by what is suggested at the place, over the selected words', async ({ code }) => {
  await code.edit('desk/mention.md', 3, 1);
  await code.run('Notes: Insert Link to Note');
  await code.row('Zwiebelkuchen');
  await code.page.keyboard.press('Escape');
  // A key that comes before the caret is there selects nothing: it is pressed again.
  await until('the word is selected', async () => {
    await code.edit('desk/mention.md', 3, 1);
    await code.page.keyboard.press('Control+Shift+ArrowRight');
    const selected = code.page.locator('.statusbar-item', { hasText: '(13 selected)' });
    return selected.waitFor({ timeout: 2_000 }).then(() => true, () => false);
  });
  await code.run('Notes: Insert Link to Note');
  await until('the word is what is looked for', async () => (await code.box.inputValue()) === 'Zwiebelkuchen');
  await code.choose('zwiebelkuchen.md');
  await code.page.keyboard.press('Enter');
  await code.shows('[[zwiebelkuchen|Zwiebelkuchen]] is for October');
});

test('a link to the hit is copied', async ({ code, setup }) => {
  await code.search(QUESTION, NOTE);
  await code.choose(NOTE);
  await code.page.keyboard.press('Control+Alt+C');
  const copied = await until('something is copied', () => code.page.evaluate(() => navigator.clipboard.readText()));
  same(copied, `[${NOTE}](file://${setup.notes}/homelab/evenings-without-wifi.md#L35)`);
});

test('the button of a hit does the same as its key', async ({ code }) => {
  await code.edit('inbox.md');
  const row = await code.search(QUESTION, NOTE);
  await row.hover();
  await row.getByRole('button', { name: 'Open to the Side' }).click();
  await until('two groups of editors', async () => (await code.page.locator('.editor-group-container').count()) === 2);
});

test('a filter is completed, and what is typed then counts', async ({ code }) => {
  await code.search('ty', 'type:');
  await code.choose('type:');
  await code.page.keyboard.press('Enter');
  await until('the filter is there', async () => (await code.box.inputValue()) === 'type:');
  await code.choose('org');
  await code.page.keyboard.press('Enter');
  await until('the value is there', async () => (await code.box.inputValue()) === 'type:org ');
  await code.page.keyboard.type('Blattläuse');
  await code.row('balkon.org');
  check((await code.rows.filter({ hasText: '.md' }).count()) === 0, 'only Org files');
});

test('nothing that is like the question is said so', async ({ code }) => {
  await code.search('"qwertzuiopü"', 'Nothing found');
});

test('the key opens the search, and settings of the session hold', async ({ code }) => {
  await code.page.keyboard.press('Control+Alt+K');
  await code.page.keyboard.press('S');
  await code.quick.getByText('Search notes').first().waitFor();
  await code.box.fill('the');
  await code.row('the');
  await until('as many as the setting says', async () => (await code.rows.count()) === 7);
});
