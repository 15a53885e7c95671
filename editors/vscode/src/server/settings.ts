/** The settings that go to the server: those that the user has set, and no defaults, so that config.toml keeps its say. */

import { workspace } from 'vscode';

import { SECTION } from '../names';
import manifest from '../../package.json';

/** Names of the settings that are the server's own: all but the first category of package.json. */
const NAMES: readonly string[] = manifest.contributes.configuration
  .slice(1)
  .flatMap((category) => Object.keys(category.properties))
  .map((name) => name.slice(SECTION.length + 1));

/** A tree of what is set: `{search: {limit: 20}}`. */
export function setByUser(): Record<string, Record<string, unknown>> {
  const settings = workspace.getConfiguration(SECTION);
  const tree: Record<string, Record<string, unknown>> = {};
  for (const name of NAMES) {
    const found = settings.inspect(name);
    if (found && [found.globalValue, found.workspaceValue, found.workspaceFolderValue].some((value) => value !== undefined)) {
      const [section, key] = name.split('.', 2) as [string, string];
      (tree[section] ??= {})[key] = settings.get(name);
    }
  }
  return tree;
}
