/** Where the server is: the configured program, else `khoj-ls` on the search path, else a Python that has the package. */

import * as path from 'node:path';

/** What is asked of the machine, so that tests can play one. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly home: string;
  /** Whether there is a file here that may be run. */
  isProgram(file: string): Promise<boolean>;
  /** Whether this Python, run in the home folder, can import khoj_ls. */
  hasPackage(python: string): Promise<boolean>;
}

/** A program with its arguments that speaks LSP on standard input and output. */
export interface Found {
  readonly command: string;
  readonly args: readonly string[];
}

/** Why there is none, for people. */
export interface Missing {
  readonly missing: string;
  /** Whether the setting names what cannot be run: then nothing else is tried. */
  readonly configured: boolean;
}

const PROGRAM = 'khoj-ls';

/** Look for the server. `configured` is the setting khoj-ls.server.path, empty where the user has set nothing. */
export async function findServer(configured: string, machine: Machine): Promise<Found | Missing> {
  if (configured) {
    return ofSetting(configured, machine);
  }
  const found = await onPath(PROGRAM, machine);
  if (found) {
    return { command: found, args: [] };
  }
  for (const name of ['python3', 'python']) {
    const python = await onPath(name, machine);
    if (python && (await machine.hasPackage(python))) {
      return asModule(python);
    }
  }
  return { missing: notFound(PROGRAM), configured: false };
}

/** A program on the search path, or where pipx and `pip --user` put it: its full path. */
export async function onPath(name: string, machine: Machine): Promise<string | undefined> {
  const paths = machine.platform === 'win32' ? path.win32 : path.posix;
  const listed = (machine.environment['PATH'] ?? machine.environment['Path'] ?? '').split(paths.delimiter);
  const usual = machine.platform === 'win32' ? [] : [paths.join(machine.home, '.local', 'bin'), '/opt/homebrew/bin', '/usr/local/bin'];
  // A folder that is named relatively would be looked for in whatever workspace is open.
  for (const folder of [...listed, ...usual].filter((each) => paths.isAbsolute(each))) {
    for (const ending of machine.platform === 'win32' ? ['.exe'] : ['']) {
      const file = paths.join(folder, name + ending);
      if (await machine.isProgram(file)) {
        return file;
      }
    }
  }
  return undefined;
}

async function ofSetting(configured: string, machine: Machine): Promise<Found | Missing> {
  const paths = machine.platform === 'win32' ? path.win32 : path.posix;
  const file = /^~[\\/]/.test(configured) ? paths.join(machine.home, configured.slice(2)) : configured;
  if (!paths.isAbsolute(file)) {
    return { missing: `The setting khoj-ls.server.path has to be a full path, and is “${configured}”.`, configured: true };
  }
  if (!(await machine.isProgram(file))) {
    return { missing: notFound(file), configured: true };
  }
  if (/^python[\d.]*(\.exe)?$/i.test(paths.basename(file))) {
    return (await machine.hasPackage(file))
      ? asModule(file)
      : { missing: `The setting khoj-ls.server.path names ${file}, which has no package khoj-ls.`, configured: true };
  }
  return { command: file, args: [] };
}

function notFound(program: string): string {
  return `The program \`${program}\` was not found: \`pipx install khoj-ls\` installs it, and the setting \`khoj-ls.server.path\` names another place.`;
}

function asModule(python: string): Found {
  return { command: python, args: ['-m', 'khoj_ls'] };
}
