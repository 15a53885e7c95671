/** A line of commands below a hover of the server. Links to notes are the server's own; the commands are ours, and take no arguments. */

import { Hover, MarkdownString, type Position, type TextDocument } from 'vscode';

import { HOVER_COMMANDS } from './names';

/** The hover with the commands below it, for the heading or title it is about; a link's preview stays as it is. */
export function withCommands(hover: Hover, document: TextDocument, position: Position): Hover {
  const line = document.lineAt(position.line).text;
  if (!/^(#{1,6}|\*+)\s|^#\+title:/i.test(line)) {
    return hover;
  }
  const [related, backlinks, ask] = HOVER_COMMANDS;
  const commands = new MarkdownString(
    `[Related notes](command:${related} "Show what is like this, beside the text") · ` +
      `[Backlinks](command:${backlinks} "Show what links here") · [Ask about it](command:${ask} "Ask your notes")`,
  );
  commands.isTrusted = { enabledCommands: HOVER_COMMANDS };
  return new Hover([...hover.contents, commands], hover.range);
}
