/** The commands about the server and its index. */

import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { commands, type Disposable, type LogOutputChannel, ProgressLocation, window, workspace } from 'vscode';

import { command, messageOf, offerHelp } from '../commands';
import { SECTION } from '../names';
import { findServer } from '../server/find';
import { machine } from '../server/machine';
import type { Server } from '../server/server';
import type { Row } from '../views/tree';
import { count } from '../views/status';
import type { StatusFeed } from './feed';

/** Register them. */
export function registerStatus(server: Server, feed: StatusFeed, log: LogOutputChannel): Disposable[] {
  const ofVault = (row?: Row): { vault?: string } => (row?.kind === 'vault' && row.id ? { vault: row.id } : {});
  return [
    command(server, 'khoj-ls.menu', () => menu(server, feed)),
    command(server, 'khoj-ls.restart', () => server.restart()),
    command(server, 'khoj-ls.stop', () => server.stop()),
    command(server, 'khoj-ls.showLog', () => {
      log.show();
    }),
    command(server, 'khoj-ls.reindex', async (row?: Row) => {
      const done = await window.withProgress(
        { location: ProgressLocation.Notification, title: 'khoj-ls: bringing the index up to date', cancellable: true },
        (_, token) => server.request('khoj/reindex', ofVault(row), token),
      );
      const files = done.reduce((sum, each) => sum + each.files, 0);
      const failures = done.reduce((sum, each) => sum + each.failures.length, 0);
      window.setStatusBarMessage(`khoj-ls: ${count(files, 'note')} indexed${failures ? `, ${count(failures, 'file')} not` : ''}`, 5_000);
      await feed.ask();
    }),
    command(server, 'khoj-ls.pause', async (row?: Row) => {
      await server.request('khoj/pause', ofVault(row));
      await feed.ask();
    }),
    command(server, 'khoj-ls.resume', async (row?: Row) => {
      await server.request('khoj/resume', ofVault(row));
      await feed.ask();
    }),
    command(server, 'khoj-ls.openConfig', () => openConfig()),
    command(server, 'khoj-ls.settings', () => commands.executeCommand('workbench.action.openSettings', `@ext:${SECTION}.${SECTION}`)),
  ];
}

async function menu(server: Server, feed: StatusFeed): Promise<void> {
  if (server.state.kind === 'missing' || server.state.kind === 'failed') {
    await offerHelp(server);
    return;
  }
  const paused = feed.status?.vaults.some((vault) => vault.paused) ?? false;
  const items = [
    { label: '$(search) Search Notes', command: 'khoj-ls.search' },
    { label: '$(references) Related Notes', command: 'khoj-ls.related' },
    { label: '$(arrow-left) Backlinks', command: 'khoj-ls.backlinks' },
    { label: '$(link) Insert Link to Note', command: 'khoj-ls.insertLink' },
    { label: '$(comment-discussion) Chat', command: 'khoj-ls.chat' },
    { label: '$(question) Ask Notes', command: 'khoj-ls.ask' },
    { label: '$(calendar) Today’s Note', command: 'khoj-ls.daily' },
    { label: '$(new-file) New Note', command: 'khoj-ls.capture' },
    { label: '$(history) Conversations', command: 'khoj-ls.conversations' },
    { label: '$(info) Index Status', command: 'khoj-ls.status' },
    { label: '$(refresh) Bring the Index up to Date', command: 'khoj-ls.reindex' },
    paused
      ? { label: '$(debug-continue) Go on Indexing', command: 'khoj-ls.resume' }
      : { label: '$(debug-pause) Pause Indexing', command: 'khoj-ls.pause' },
    { label: '$(gear) Settings of the Editor', command: 'khoj-ls.settings' },
    { label: '$(json) Settings File (config.toml)', command: 'khoj-ls.openConfig' },
    { label: '$(debug-restart) Restart the Server', command: 'khoj-ls.restart' },
    { label: '$(output) Show the Log', command: 'khoj-ls.showLog' },
  ];
  const chosen = await window.showQuickPick(items, { title: 'khoj-ls' });
  if (chosen) {
    await commands.executeCommand(chosen.command);
  }
}

/** Open config.toml, which holds what an editor may not set; an empty one is made where there is none. */
async function openConfig(): Promise<void> {
  const found = await findServer(workspace.getConfiguration(SECTION).get('server.path', '').trim(), machine);
  if ('missing' in found) {
    throw new Error(found.missing);
  }
  const file = await configFile(found.command, [...found.args, 'config', 'path', '--json']);
  try {
    await access(file);
  } catch {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, '# Settings of khoj-ls: docs/configuration.md lists them all.\n', { flag: 'wx', mode: 0o600 });
  }
  await window.showTextDocument(await workspace.openTextDocument(file));
}

function configFile(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: machine.home, windowsHide: true }, (error, output) => {
      try {
        const told: unknown = JSON.parse(output);
        const settings = told && typeof told === 'object' && 'settings' in told ? told.settings : undefined;
        if (typeof settings !== 'string') {
          throw error ?? new Error('the server does not say where its settings are');
        }
        resolve(settings);
      } catch (problem) {
        reject(new Error(messageOf(error ?? problem)));
      }
    });
  });
}
