// The server: gone, not there, and there again.

import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';

import { same, test, until } from './harness.mjs';

const daemon = (program) => JSON.parse(execFileSync(program, ['daemon', 'status', '--json'], { encoding: 'utf8' }));

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
