/** Puts marks where an answer names a source, before its Markdown is read: by the server's offsets, or by number while it streams. */

import type { ShownCitation, ShownTurn } from '../chat/messages';

const OPEN = '\uE000';
const CLOSE = '\uE001';
const RESERVED = /[\uE000\uE001]/g;

/** The text of an answer with marks: `c3` is the fourth citation, `s2` the source 2. */
export function withMarks(turn: Pick<ShownTurn, 'text' | 'citations' | 'sources'>): string {
  const text = turn.text.replace(RESERVED, '\uFFFD');
  return turn.citations.length ? byOffset(text, turn.citations) : byNumber(text, new Set(turn.sources.map(({ number }) => number)));
}

/** What a mark had been in the text. */
export function plainMark(name: string, citations: readonly ShownCitation[]): string {
  const number = Number(name.slice(1));
  return `[${String(name.startsWith('c') ? (citations[number]?.number ?? number) : number)}]`;
}

function byOffset(text: string, citations: readonly ShownCitation[]): string {
  // The server counts code points.
  const points = Array.from(text);
  const parts: string[] = [];
  let at = 0;
  const inOrder = citations.map((citation, index) => ({ ...citation, index })).sort((one, other) => one.start - other.start);
  for (const { start, end, index } of inOrder) {
    // Several numbers in one pair of brackets share their place: their marks follow each other.
    parts.push(points.slice(at, Math.max(at, start)).join(''), `${OPEN}c${String(index)}${CLOSE}`);
    at = Math.max(at, end);
  }
  return parts.join('') + points.slice(at).join('');
}

function byNumber(text: string, numbers: ReadonlySet<number>): string {
  return text.replace(/\[(\d{1,3})\](?!\()/g, (whole, digits: string) =>
    numbers.has(Number(digits)) ? `${OPEN}s${digits}${CLOSE}` : whole,
  );
}
