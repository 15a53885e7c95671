/** Installing the server, in a terminal the user can see, and only when he says so. */

import { commands, ConfigurationTarget, type Disposable, ProcessExecution, Task, TaskRevealKind, TaskScope, tasks, window, workspace } from 'vscode';

import { command } from '../commands';
import { SECTION } from '../names';
import { onPath } from './find';
import { machine } from './machine';
import type { Server } from './server';

/** A way to install the package. */
interface Way {
  readonly label: string;
  readonly detail: string;
  readonly program: string;
  readonly args: string[];
}

/** Register the commands that bring the server to this machine. */
export function registerInstall(server: Server): Disposable[] {
  return [
    command(server, 'khoj-ls.install', () => install(server)),
    command(server, 'khoj-ls.setPath', () => setPath()),
    command(server, 'khoj-ls.walkthrough', () =>
      commands.executeCommand('workbench.action.openWalkthrough', 'khoj-ls.khoj-ls#khoj-ls.start', false),
    ),
  ];
}

async function install(server: Server): Promise<void> {
  const ways = await possible();
  if (ways.length === 0) {
    const answer = await window.showErrorMessage(
      'khoj-ls: Neither pipx nor Python is on this machine. Install Python 3.10 or later first, then try again.',
      'Set the Path…',
    );
    if (answer) {
      await setPath();
    }
    return;
  }
  const way = await window.showQuickPick(ways, { title: 'Install the khoj-ls server', placeHolder: 'It runs in a terminal that you can watch' });
  if (!way) {
    return;
  }
  const status = await run(way);
  if (status === 0) {
    await server.restart();
    if (server.state.kind === 'running') {
      void window.showInformationMessage('khoj-ls: The server is installed and runs.');
    }
    return;
  }
  void window.showErrorMessage(`khoj-ls: “${way.label}” did not succeed; its terminal says why.`);
}

async function possible(): Promise<Way[]> {
  const [pipx, uv] = [await onPath('pipx', machine), await onPath('uv', machine)];
  const python = (await onPath('python3', machine)) ?? (await onPath('python', machine));
  return [
    ...(pipx ? [{ label: 'pipx install khoj-ls', detail: 'In an environment of its own; recommended', program: pipx, args: ['install', 'khoj-ls'] }] : []),
    ...(uv ? [{ label: 'uv tool install khoj-ls', detail: 'In an environment of its own', program: uv, args: ['tool', 'install', 'khoj-ls'] }] : []),
    ...(python
      ? [
          {
            label: 'python -m pip install --user khoj-ls',
            detail: `With ${python}; some systems refuse this and want pipx`,
            program: python,
            args: ['-m', 'pip', 'install', '--user', 'khoj-ls'],
          },
        ]
      : []),
  ];
}

/** Run in a terminal; the exit status. */
async function run(way: Way): Promise<number | undefined> {
  const task = new Task({ type: SECTION }, TaskScope.Workspace, way.label, SECTION, new ProcessExecution(way.program, way.args, { cwd: machine.home }));
  task.presentationOptions = { reveal: TaskRevealKind.Always, focus: true };
  const execution = await tasks.executeTask(task);
  return new Promise((resolve) => {
    const waiting = tasks.onDidEndTaskProcess((end) => {
      if (end.execution === execution) {
        waiting.dispose();
        resolve(end.exitCode);
      }
    });
  });
}

async function setPath(): Promise<void> {
  const chosen = await window.showOpenDialog({ title: 'The program khoj-ls, or a Python that has it', openLabel: 'Use This', canSelectMany: false });
  if (chosen?.[0]) {
    await workspace.getConfiguration(SECTION).update('server.path', chosen[0].fsPath, ConfigurationTarget.Global);
  }
}
