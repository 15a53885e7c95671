// The server: shared with another editor, gone, not there, and there again.

import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';

import { check, same, test, until } from './harness.mjs';
import { Neovim } from './neovim.mjs';

const daemon = (program) => JSON.parse(execFileSync(program, ['daemon', 'status', '--json'], { encoding: 'utf8' }));

test('Neovim beside VS Code has the same daemon, and what one saves is related in the other', async ({ code, setup }) => {
  await code.edit('desk/bees.md');
  await code.run('Notes: Show Related Notes');
  const related = code.view('Related').locator('.monaco-list-row');
  const neovim = new Neovim(setup);
  try {
    await neovim.do('save', { note: 'desk/log-of-one.md', text: 'Varroa mites: oxalic acid was trickled between the combs of the beehive.\n' });
    await related.filter({ hasText: 'Log of one' }).first().waitFor();
    await code.edit('desk/log-of-the-other.md', 3);
    await code.page.keyboard.insertText('The beekeeper spun fifteen kilograms of honey for the winter.');
    await until('Neovim has it', async () => (await neovim.do('related', { note: 'desk/bees.md' })).includes('log-of-the-other.md'));
    check(daemon(setup.program).daemon.sessions >= 2, 'both are at one daemon');
  } finally {
    await neovim.close();
  }
});

test('a server that is killed is started again, an answer under way says so, and the search works', async ({ code, setup }) => {
  await code.fresh();
  const turn = await code.ask('Tell me slowly before the end');
  await turn.getByText(/word3 /).waitFor();
  process.kill(daemon(setup.program).daemon.pid, 'SIGKILL');
  await code.ended(turn, 'failed');
  await turn.getByText('The server ended before the answer did').waitFor();
  await until('the server runs again', async () => !(await code.bar.innerText()).includes('again'));
  await code.search('how did I fix the router', 'evenings-without-wifi');
});

test('a server that is not installed is told once, with what can be done, and found when it is there', async ({ code, setup }) => {
  renameSync(setup.program, `${setup.program}.away`);
  await code.run('Notes: Restart the Server');
  const told = await code.told('khoj-ls: The program `khoj-ls` was not found: `pipx install khoj-ls` installs it');
  await code.bar.filter({ hasText: 'no server' }).waitFor();
  same(await code.toasts.count(), 1);
  await told.getByRole('button', { name: 'Install…' }).click();
  await code.quick.getByText('Install the khoj-ls server').waitFor();
  await code.row('install');
  await code.escape();
  await code.search('router', 'The program `khoj-ls` was not found');
  await code.escape();
  renameSync(`${setup.program}.away`, setup.program);
  await code.run('Notes: Restart the Server');
  await code.search('how did I fix the router', 'evenings-without-wifi');
});
