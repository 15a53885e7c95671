// The search: as one types, with a preview, and what is done with the hit that is chosen.

import { readFileSync } from 'node:fs';

import { check, same, test, until } from './harness.mjs';
import { appears } from './workbench.mjs';

const QUESTION = 'how did I fix the router';
const NOTE = 'Evenings without Wi-Fi › How I repaired it';

test('hits come while one types, the chosen one is shown behind, and Enter goes to its line', async ({ code }) => {
  await code.edit('inbox.md', 3);
  await code.search(QUESTION, NOTE);
  await code.choose(NOTE);
  await code.tab('evenings-without-wifi.md');
  await code.key('Enter');
  await code.quick.waitFor({ state: 'hidden' });
  await code.at(35);
  await code.tab('evenings-without-wifi.md');
});

test('Escape leaves the search and goes back to where one was', async ({ code }) => {
  await code.edit('inbox.md', 3, 2);
  await code.search(QUESTION, NOTE);
  await code.tab('evenings-without-wifi.md');
  await code.escape();
  await code.tab('inbox.md');
  await code.at(3, 2);
  await code.caret();
});

test('Ctrl+Enter opens the hit to the side', async ({ code }) => {
  await code.edit('inbox.md');
  await code.search(QUESTION, NOTE);
  await code.take(NOTE, 'Control+Enter');
  await until('two groups of editors', async () => (await code.page.locator('.editor-group-container').count()) === 2);
  await code.at(35);
});

/** Insert a link with Alt+Enter behind characters of several bytes and units, save, and compare the line. */
const writesLink =
  (file, written) =>
  async ({ code, setup }) => {
    await code.edit(`desk/${file}`, 3, 8);
    await code.search(QUESTION, NOTE);
    await code.take(NOTE, 'Alt+Enter');
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
  await code.shows('Belag'); // what is chosen is shown behind the list, and gone when the list is left
  await code.escape();
  await code.shows('is for October');
  await code.at(3);
  await until('the selected word is what is looked for', async () => {
    await code.select(3, ['Control+Shift+ArrowRight'], 'Zwiebelkuchen'.length);
    await code.run('Notes: Insert Link to Note');
    // A command that is taken too early is not run: then no list is open that could be left.
    if (await appears(code.quick.getByText('Insert a link'))) {
      return (await code.box.inputValue()) === 'Zwiebelkuchen' || code.escape();
    }
    return (await code.quick.isVisible()) && code.escape();
  });
  await code.take('zwiebelkuchen.md');
  await code.shows('[[zwiebelkuchen|Zwiebelkuchen]] is for October');
});

test('a link to the hit is copied', async ({ code, setup }) => {
  await code.search(QUESTION, NOTE);
  await code.take(NOTE, 'Control+Alt+C');
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
  await code.take('type:');
  await until('the filter is there', async () => (await code.box.inputValue()) === 'type:');
  await code.take('org');
  await until('the value is there', async () => (await code.box.inputValue()) === 'type:org ');
  await code.box.pressSequentially('Blattläuse');
  await code.row('balkon.org');
  check((await code.rows.filter({ hasText: '.md' }).count()) === 0, 'only Org files');
});

test('nothing that is like the question is said so', async ({ code }) => {
  await code.search('"qwertzuiopü"', 'Nothing found');
});

test('the key opens the search, and settings of the session hold', async ({ code }) => {
  await code.press(['Control+Alt+K', 'S'], code.quick.getByText('Search notes'));
  await code.box.fill('the');
  await code.row('the');
  await until('as many as the setting says', async () => (await code.rows.count()) === 7);
});
