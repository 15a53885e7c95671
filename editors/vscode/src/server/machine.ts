/** The machine that the extension runs on, as `find.ts` asks it. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';

import type { Machine } from './find';

const LOOK_MS = 10_000;
const HAS_PACKAGE = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("khoj_ls") is None)';

/** This machine. */
export const machine: Machine = {
  environment: process.env,
  platform: process.platform,
  home: homedir(),
  async isProgram(file) {
    try {
      await access(file, constants.X_OK);
      return (await stat(file)).isFile();
    } catch {
      return false;
    }
  },
  // In the home folder: Python imports from where it is started, and that must not be a workspace.
  hasPackage: (python) =>
    new Promise((resolve) => {
      execFile(python, ['-c', HAS_PACKAGE], { cwd: homedir(), timeout: LOOK_MS, windowsHide: true }, (error) => {
        resolve(error === null);
      });
    }),
};
