// What events make of a turn, and where its citations stand.

import assert from 'node:assert/strict';
import test from 'node:test';

import { after, begun, kept } from '../../../../editors/vscode/src/chat/conversation';
import { plainMark, withMarks } from '../../../../editors/vscode/src/webview/cited';
import type { ChatCitation, ChatFailedEvent, ChatSource, ConversationTurn } from '../../../../editors/vscode/src/wire';

const ids = { conversation: 'c', turn: 't' };
const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };
const source = (number: number): ChatSource => ({
  number, uri: 'file:///n.md', path: 'n.md', range, title: 'Note', outline: ['Note', 'Part'], text: '', score: null, private: false,
});
const citation = (number: number, start: number, end: number): ChatCitation => ({
  number, start, end, uri: 'file:///n.md', path: 'n.md', range, outline: [], quote: 'q',
});
const failed: ChatFailedEvent = { ...ids, seq: 9, kind: 'failed', message: 'Ollama is not running.', code: 'khoj.model.unreachable', text: '', consent: null };

test('pieces add up, and the end holds', () => {
  let turn = begun('t', 'why?');
  turn = after(turn, { ...ids, seq: 1, kind: 'sources', sources: [source(1)], degraded: ['vectors'], left_out_private: 2 });
  assert.deepEqual(turn.sources, [{ number: 1, label: 'Note › Part', path: 'n.md', private: false }]);
  assert.equal(turn.status, 'Reading 1 passage…');
  assert.deepEqual(turn.notices, ['A part of the search was missing: vectors.', '2 private passages were not shown to the model.']);
  turn = after(turn, { ...ids, seq: 2, kind: 'delta', text: 'Be' });
  turn = after(turn, { ...ids, seq: 3, kind: 'delta', text: 'cause [1]' });
  assert.deepEqual([turn.text, turn.state, turn.status], ['Because [1]', 'running', '']);
  turn = after(turn, {
    ...ids, seq: 4, kind: 'done', text: 'Because [1].', citations: [citation(1, 8, 11)], removed: ['[7]'], unsupported: [], usage: null, cost: 0.012,
    model: 'a/b', reason: 'length', notices: ['n'],
  });
  assert.deepEqual([turn.text, turn.state, turn.foot], ['Because [1].', 'done', 'a/b · $0.012']);
  assert.deepEqual(turn.notices.slice(2), ['n', 'The answer was cut off: it was longer than allowed.', 'Taken out, since there is no such source: [7]']);
});

for (const [code, state, message] of [
  ['khoj.model.unreachable', 'failed', 'Ollama is not running.'],
  ['khoj.cancelled', 'cancelled', 'Stopped.'],
] as const) {
  test(`what had arrived stays when it ends with ${code}`, () => {
    const turn = after({ ...begun('t', 'why?'), text: 'Bec' }, { ...failed, code });
    assert.deepEqual([turn.text, turn.state, turn.message], ['Bec', state, message]);
  });
}

test('a kept turn that was never completed is not shown as running', () => {
  const turn = kept({ ...failed, id: 't', question: 'why?', answer: 'Bec', state: 'running', sources: [], citations: [], unsupported: [] } as unknown as ConversationTurn);
  assert.deepEqual([turn.state, turn.text, turn.foot], ['cancelled', 'Bec', '']);
});

for (const [what, text, citations, expected] of [
  ['by offsets in code points', '😀 日本 [1] and [2].', [citation(2, 13, 16), citation(1, 5, 8)], '😀 日本 \uE000c1\uE001 and \uE000c0\uE001.'],
  ['two numbers in one pair of brackets', 'So [1, 2].', [citation(1, 3, 9), citation(2, 3, 9)], 'So \uE000c0\uE001\uE000c1\uE001.'],
  ['by number while it streams', 'So [1] not [9] nor [1](x)', [], 'So \uE000s1\uE001 not [9] nor [1](x)'],
  ['characters that mean marks are replaced', 'a\uE000b\uE001 [1]', [], 'a\uFFFDb\uFFFD \uE000s1\uE001'],
] as const) {
  test(`citations ${what}`, () => {
    const sources = [1, 2].map((number) => ({ number, label: '', path: '', private: false }));
    assert.equal(withMarks({ text, citations, sources }), expected);
  });
}

test('in code a mark is what it had been', () => {
  assert.deepEqual([plainMark('s2', []), plainMark('c0', [citation(7, 0, 3)])], ['[2]', '[7]']);
});
