/** The view “Related”: notes like the section that the cursor is in, and like the words that are selected. */

import type { CancellationToken } from 'vscode';

import { SAYS } from '../names';
import { fromPosition, fromRange, noteEditor, shortPath } from '../notes';
import { headline, missingPart } from '../search/items';
import type { Server } from '../server/server';
import type { Hit } from '../wire';
import type { Content, Row } from './tree';

const LIMIT = 10;
/** Notes that are less like a place than this are not shown as related; scores go from 0 to 1. */
export const LEAST_RELATED = 0.1;

/** Ask for the content; undefined where no note is open, so that what was shown stays. */
export async function related(server: Server, token: CancellationToken): Promise<Content | undefined> {
  const editor = noteEditor();
  if (!editor) {
    return undefined;
  }
  const { document, selection } = editor;
  const result = await server.request(
    'khoj/related',
    {
      textDocument: { uri: document.uri.toString() },
      ...(selection.isEmpty ? { position: fromPosition(selection.active) } : { range: fromRange(selection) }),
      limit: LIMIT,
    },
    token,
  );
  const rows = result.hits.filter(({ score }) => score >= LEAST_RELATED).map(row);
  return { rows, message: missingPart(result) || (rows.length ? '' : SAYS.noRelated) };
}

function row(hit: Hit): Row {
  return {
    label: headline(hit),
    description: `${hit.score.toFixed(2)}${hit.linked ? ' · linked' : ''}`,
    tooltip: `${shortPath(hit.uri)}\n\n${hit.snippet}`,
    icon: hit.linked ? 'references' : 'note',
    place: hit,
    kind: 'hit',
  };
}
