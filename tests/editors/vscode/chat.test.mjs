// The chat: answers that stream, citations that lead to lines, stop, again, what a question is about, and a yes before anything is sent.

import { readFileSync } from 'node:fs';

import { check, same, test, until } from './harness.mjs';

const ANSWER = 'Both changes were made on 3 May: the radio went to channel 36, 80 MHz wide 1. The firmware was rolled back 2.';

/** Choose a row of a picker that a button of the chat's page opens. */
async function pick(code, button, row) {
  await code.chat.page.locator(button).click();
  await code.take(row);
  await code.quick.waitFor({ state: 'hidden' });
}

test('an answer streams to its end, and a citation opens the line', async ({ code }) => {
  await code.fresh();
  const turn = await code.ask('What did I change at the router?');
  await code.ended(turn);
  same((await turn.locator('.answer').innerText()).trim(), ANSWER);
  await turn.locator('.cite').first().click();
  await code.tab('evenings-without-wifi.md');
  await turn.getByText(/\d+ sources/).click();
  await turn.locator('.source').last().click();
  await code.page.locator('.tab.active').waitFor();
});

test('an answer is inserted below the cursor, into a note that it does not come from', async ({ code, setup }) => {
  await code.fresh();
  const turn = await code.ended(await code.ask('What did I change at the router?'));
  await code.edit('desk/answer.md', 3, 7);
  await turn.getByRole('button', { name: 'Insert' }).click();
  // An edit that comes from a model is shown before it is made.
  const preview = code.page.locator('.bulk-edit-panel');
  await preview.locator('.edit-checkbox').first().click();
  await preview.getByRole('button', { name: 'Apply' }).click();
  const written = /Below:\n\nBoth changes .* The firmware was rolled back\.\n\nThe end\./;
  await until('it is there', () => written.test(readFileSync(`${setup.notes}/desk/answer.md`, 'utf8')));
});

test('a chat is begun in a file of its own', async ({ code }) => {
  await code.edit('inbox.md');
  await code.run('Notes: Chat about This Note in a File');
  await code.tab(/^\d{4}-\d\d-\d\d-inbox.md/);
  await code.shows('## You');
});

test('an answer without end is stopped by Escape, and asked again', async ({ code }) => {
  await code.fresh();
  const turn = await code.ask('Tell me slowly what I changed');
  await turn.getByText(/word3 /).waitFor();
  await code.chat.box.press('Escape');
  await code.ended(turn, 'cancelled');
  await turn.getByText('Stopped.').waitFor();
  await turn.getByRole('button', { name: /Ask again/ }).click();
  const again = code.chat.turns.filter({ hasText: 'Tell me slowly' });
  await code.ended(again, 'running');
  await code.run('Notes: Stop the Answer');
  await code.ended(again, 'cancelled');
  same(await code.chat.turns.count(), 1);
});

test('what is selected is added to the question', async ({ code }) => {
  await code.fresh();
  await code.edit('kitchen/sourdough.md', 5, 1);
  await code.select(5, ['Shift+ArrowDown', 'Shift+ArrowDown'], 'date: 2020-04-18\n---\n'.length);
  await code.run('Notes: Add Selection to Chat');
  await code.chat.page.locator('.chip', { hasText: 'sourdough.md:5–7' }).waitFor();
  const turn = await code.ask('What does this SELECTION say?');
  await code.ended(turn);
  await until('it is added once', async () => (await code.chat.page.locator('.chip').count()) === 0);
});

test('a command of the chat is completed and answered', async ({ code }) => {
  await code.fresh();
  await code.chat.box.fill('/he');
  await code.chat.page.locator('.command', { hasText: '/help' }).waitFor();
  await code.chat.box.press('Tab');
  same(await code.chat.box.inputValue(), '/help ');
  await code.chat.box.press('Enter');
  const turn = code.chat.turns.filter({ hasText: '/help' });
  await code.ended(turn);
  await turn.locator('.answer').getByText('/links').first().waitFor();
});

test('who answers, and the model, are chosen', async ({ code }) => {
  await code.fresh();
  await pick(code, '#persona', 'researcher');
  await code.chat.page.locator('#persona', { hasText: 'researcher' }).waitFor();
  await pick(code, '#model', 'No model');
  const turn = await code.ask('how did I fix the router');
  await code.ended(turn);
  await turn.getByText('How I repaired it').first().waitFor();
  await pick(code, '#model', 'As in the settings');
  await pick(code, '#persona', 'default');
});

test('before notes go to a service the user is asked; after a no nothing was sent, after a yes it is', async ({ code }) => {
  await code.fresh();
  await pick(code, '#model', 'far');
  const turn = await code.ask('What about my notes far away?');
  const question = await code.told(/tokens with passages of your notes to https:\/\/llm.example.invalid/);
  await question.getByRole('button', { name: 'No', exact: true }).click();
  await code.ended(turn, 'failed');
  await turn.locator('.consent').getByText(/passages of your notes be sent to https:\/\/llm.example.invalid/).waitFor();
  await turn.getByText('Nothing was sent.').waitFor();
  await turn.getByRole('button', { name: /Yes, and remember/ }).click();
  // It was sent: there is no such service, but that is another story.
  await turn.locator('.wrong').waitFor();
  same(await code.chat.page.locator('.consent').count(), 0);
  await pick(code, '#model', 'As in the settings');
});

test('an answer that means harm is text: no picture, no script, no address is asked', async ({ code, outside }) => {
  await code.fresh();
  await pick(code, '#model', 'hostile');
  const turn = await code.ask('Be hostile');
  await code.ended(turn);
  await turn.locator('.answer').getByText('harmless end').waitFor();
  await turn.getByText('statements name no source').click();
  same(await turn.locator('img, script, iframe, style, svg, object, link, form').count(), 0);
  same(await turn.locator('.answer a').evaluateAll((links) => links.map((link) => new URL(link.href).protocol).filter((each) => each !== 'https:')), []);
  same(await code.chat.page.evaluate(() => document.title), 'Chat');
  same(outside.filter((address) => address.includes('evil.example')), []);
  await pick(code, '#model', 'As in the settings');
});

test('conversations are kept: found, opened, renamed, exported and deleted', async ({ code }) => {
  await code.fresh();
  const turn = await code.ask('Which conversation is KEPT?');
  await code.ended(turn);
  await code.fresh();
  await code.run('Notes: Show Conversations');
  const row = code.view('Conversations').locator('.monaco-list-row', { hasText: 'Which conversation is KEPT?' });
  await row.click();
  await code.chat.turns.filter({ hasText: 'Which conversation is KEPT?' }).waitFor();
  same((await code.chat.turns.locator('.answer').first().innerText()).trim(), ANSWER);
  await code.menu(row, 'Rename Conversation');
  await code.type('Rename the conversation', 'Called otherwise');
  await code.key('Enter');
  const renamed = code.view('Conversations').locator('.monaco-list-row', { hasText: 'Called otherwise' });
  await renamed.waitFor();
  await code.menu(renamed, 'Export Conversation');
  await code.take('Markdown');
  await code.shows('# Called otherwise');
  await code.run('Revert and Close Editor');
  await code.run('Notes: Search Conversations');
  await code.type('Search conversations', 'KEPT');
  await code.row('Which conversation is KEPT?');
  await code.escape();
  await code.menu(renamed, 'Delete Conversation');
  await code.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Delete' }).click();
  await renamed.waitFor({ state: 'hidden' });
  check((await code.chat.turns.count()) === 0, 'the chat does not show it any more');
});
