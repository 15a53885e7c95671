// Where the server is looked for, on machines that are made up.

import assert from 'node:assert/strict';
import test from 'node:test';

import { findServer, type Machine } from '../../../../editors/vscode/src/server/find';

const machine = (programs: string[], packages: string[] = [], search = '/usr/bin:relative:', platform = 'linux'): Machine => ({
  environment: { PATH: search },
  platform,
  home: platform === 'win32' ? 'C:\\Users\\me' : '/home/me',
  isProgram: (file) => Promise.resolve(programs.includes(file)),
  hasPackage: (python) => Promise.resolve(packages.includes(python)),
});
const missing = (words: string, configured: boolean) => ({ words, configured });

for (const [what, configured, on, expected] of [
  ['the search path comes first', '', machine(['/usr/bin/khoj-ls', '/home/me/.local/bin/khoj-ls']), { command: '/usr/bin/khoj-ls', args: [] }],
  ['pipx puts it in the home folder', '', machine(['/home/me/.local/bin/khoj-ls']), { command: '/home/me/.local/bin/khoj-ls', args: [] }],
  ['a Python with the package', '', machine(['/usr/bin/python3'], ['/usr/bin/python3']), { command: '/usr/bin/python3', args: ['-m', 'khoj_ls'] }],
  ['a Python without it', '', machine(['/usr/bin/python3']), missing('`khoj-ls` was not found: `pipx install khoj-ls`', false)],
  ['never from a folder that is named relatively', '', machine(['relative/khoj-ls']), missing('was not found', false)],
  ['the setting', '/opt/khoj-ls', machine(['/opt/khoj-ls', '/usr/bin/khoj-ls']), { command: '/opt/khoj-ls', args: [] }],
  ['the setting, from the home folder', '~/khoj-ls', machine(['/home/me/khoj-ls']), { command: '/home/me/khoj-ls', args: [] }],
  ['the setting names a Python', '/opt/python3.12', machine(['/opt/python3.12'], ['/opt/python3.12']), { command: '/opt/python3.12', args: ['-m', 'khoj_ls'] }],
  ['that Python has no package', '/opt/python3', machine(['/opt/python3']), missing('has no package', true)],
  ['the setting names nothing: no other is taken', '/opt/none', machine(['/usr/bin/khoj-ls']), missing('`/opt/none` was not found', true)],
  ['the setting is relative', 'bin/khoj-ls', machine(['bin/khoj-ls']), missing('full path', true)],
  ['Windows', '', machine(['C:\\bin\\khoj-ls.exe'], [], 'C:\\bin;.', 'win32'), { command: 'C:\\bin\\khoj-ls.exe', args: [] }],
] as const) {
  test(what, async () => {
    const found = await findServer(configured, on);
    if ('words' in expected) {
      assert.ok('missing' in found && found.missing.includes(expected.words), JSON.stringify(found));
      assert.equal(found.configured, expected.configured);
    } else {
      assert.deepEqual(found, expected);
    }
  });
}
