/** The view “Backlinks”: links to the note, its own links, and places that name it without linking. */

import type { CancellationToken } from 'vscode';

import { SAYS } from '../names';
import { noteEditor, shortPath } from '../notes';
import type { Server } from '../server/server';
import type { LinkInfo } from '../wire';
import type { Content, Row } from './tree';

/** Ask for the content; undefined where no note is open, so that what was shown stays. */
export async function backlinks(server: Server, token: CancellationToken): Promise<Content | undefined> {
  const editor = noteEditor();
  if (!editor) {
    return undefined;
  }
  const uri = editor.document.uri.toString();
  const links = await server.request('khoj/links', { textDocument: { uri }, direction: 'all' }, token);
  const rows = [
    ...group('Links here', 'references', byNote(links.incoming)),
    ...group('Named without a link', 'mention', byNote(links.mentions)),
    ...group('Links from here', 'link-external', links.outgoing.map(outgoing)),
  ];
  return { rows, message: links.incoming.length ? '' : SAYS.noBacklinks };
}

function group(label: string, icon: string, rows: readonly Row[]): Row[] {
  const count = rows.reduce((sum, row) => sum + (row.rows?.length ?? 1), 0);
  return rows.length ? [{ label, icon, description: String(count), rows }] : [];
}

function byNote(links: readonly LinkInfo[]): Row[] {
  const notes = new Map<string, LinkInfo[]>();
  for (const link of links) {
    notes.set(link.uri, [...(notes.get(link.uri) ?? []), link]);
  }
  return [...notes].map(([uri, found]) => ({
    label: shortPath(uri),
    icon: 'note',
    place: { uri, range: found[0]?.range ?? null },
    kind: 'note',
    rows: found.map((link) => ({
      label: link.readable.trim(),
      description: `line ${String(link.range.start.line + 1)}`,
      tooltip: link.readable.trim(),
      place: link,
    })),
  }));
}

function outgoing(link: LinkInfo): Row {
  const [target] = link.targets;
  return {
    label: link.label ?? link.target,
    description: target ? [shortPath(target.uri), target.name].filter(Boolean).join(' › ') : link.why || link.state,
    tooltip: link.readable.trim(),
    icon: target ? 'arrow-right' : link.state === 'external' ? 'globe' : 'warning',
    // Where it leads; a link that leads nowhere shows itself.
    place: target ?? link,
  };
}
