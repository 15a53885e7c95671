/** What a search shows: hits, and ways to go on with a filter that is being typed. */

import { QuickInputButton, QuickPickItem, ThemeIcon } from 'vscode';

import { shortPath } from '../notes';
import type { Hit, QueryCompletion, SearchResult } from '../wire';

/** What a list needs to know of a hit. */
export type Found = Pick<Hit, 'uri' | 'range' | 'title' | 'outline' | 'snippet' | 'score' | 'type' | 'vault'>;

/** A hit, or a completion of the query. */
export interface SearchItem extends QuickPickItem {
  readonly hit?: Found;
  readonly completion?: QueryCompletion;
  /** The query that the completion is for. */
  readonly query?: string;
}

/** The actions on a hit, by the command that does it to the hit that is chosen in the list. */
export const ACTIONS: readonly (QuickInputButton & { readonly command: string })[] = [
  { command: 'khoj-ls.search.openToSide', iconPath: new ThemeIcon('split-horizontal'), tooltip: 'Open to the Side' },
  { command: 'khoj-ls.search.insertLink', iconPath: new ThemeIcon('link'), tooltip: 'Insert a Link' },
  { command: 'khoj-ls.search.copyLink', iconPath: new ThemeIcon('copy'), tooltip: 'Copy a Link' },
];

/** Hits as items: title and headings, file and score, and the excerpt below. */
export function hitItems(hits: readonly Found[]): SearchItem[] {
  const several = new Set(hits.map((hit) => hit.vault)).size > 1;
  return hits.map((hit) => ({
    label: `$(${hit.type === 'text' ? 'file' : 'markdown'}) ${plain(headline(hit))}`,
    description: `${shortPath(hit.uri)}${several ? ` · ${hit.vault.split(/[\\/]/).at(-1) ?? ''}` : ''} · ${hit.score.toFixed(2)}`,
    detail: plain(hit.snippet),
    alwaysShow: true,
    buttons: ACTIONS,
    hit,
  }));
}

/** The notes of hits, each once: what is linked where a whole note is meant. */
export function noteItems(hits: readonly Found[]): SearchItem[] {
  const notes = new Map<string, Found>();
  for (const hit of hits) {
    notes.set(hit.uri, notes.get(hit.uri) ?? { ...hit, outline: [] });
  }
  return hitItems([...notes.values()]);
}

/** The heading that a hit is below; undefined where that is the note itself. */
export function headingOf(hit: Pick<Hit, 'title' | 'outline'>): string | undefined {
  const heading = hit.outline.at(-1);
  return heading === hit.title ? undefined : heading;
}

/** The title with the headings below it: `Router › Fix`. */
export function headline(hit: Pick<Hit, 'title' | 'outline'>): string {
  return [hit.title, ...hit.outline.filter((heading) => heading !== hit.title)].join(' › ');
}

/** Completions of the query as items. */
export function completionItems(query: string, completions: readonly QueryCompletion[]): SearchItem[] {
  return completions.slice(0, 8).map((completion) => ({
    label: `$(filter) ${plain(completion.text)}`,
    description: completion.detail,
    alwaysShow: true,
    completion,
    query,
  }));
}

/** The query with a completion in it. Offsets of the protocol count code points. */
export function completed(query: string, completion: QueryCompletion): string {
  const points = Array.from(query);
  const rest = points.slice(completion.end).join('');
  const closing = completion.kind === 'value' && rest === '' ? ' ' : '';
  return points.slice(0, completion.start).join('') + completion.text + closing + rest;
}

/** What is missing in an answer, for people; empty when nothing is. */
export function missingPart(result: Pick<SearchResult, 'degraded' | 'coverage' | 'reason'>): string {
  if (!result.degraded) {
    return '';
  }
  const covered = result.coverage < 1 ? ` (${String(Math.floor(result.coverage * 100))} % by meaning)` : '';
  return `${result.reason ?? 'a part is missing'}${covered}`;
}

/** Text of a note in a label: `$(name)` would be shown as an icon. */
function plain(text: string): string {
  return text.replace(/\$\(/g, '$\u200b(').replace(/\s+/g, ' ').trim();
}
