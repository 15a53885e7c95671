/** A conversation as it is shown: turns, and what the server's events make of them. No editor, no connection. */

import type {
  ChatCitation,
  ChatDeltaEvent,
  ChatDoneEvent,
  ChatFailedEvent,
  ChatSource,
  ChatSourcesEvent,
  ChatStatusEvent,
  ChatUsage,
  ConversationTurn,
} from '../wire';
import type { ShownTurn } from './messages';

type ChatEvent = ChatSourcesEvent | ChatStatusEvent | ChatDeltaEvent | ChatDoneEvent | ChatFailedEvent;

const CANCELLED = 'khoj.cancelled';

/** A turn with the places that its numbers mean. */
export interface Turn extends ShownTurn {
  readonly places: readonly ChatSource[];
  readonly cited: readonly ChatCitation[];
}

/** A turn that has just been asked. */
export function begun(id: string, question: string): Turn {
  return {
    id, question, text: '', state: 'running', status: 'Asking…', sources: [], citations: [], notices: [], unsupported: [], message: '',
    consent: null, foot: '', places: [], cited: [],
  };
}

/** The turn after one of its events. */
export function after(turn: Turn, event: ChatEvent): Turn {
  switch (event.kind) {
    case 'sources':
      return { ...turn, ...withSources(event.sources), status: found(event.sources.length), notices: missing(event.degraded, event.left_out_private) };
    case 'status':
      return { ...turn, status: event.message };
    case 'delta':
      return { ...turn, text: turn.text + event.text, status: '' };
    case 'done':
      return {
        ...turn,
        ...withCitations(event.citations),
        text: event.text,
        state: 'done',
        status: '',
        notices: [...turn.notices, ...notices(event)],
        unsupported: event.unsupported.map(({ text }) => text),
        foot: foot(event),
      };
    case 'failed':
      return {
        ...turn,
        text: event.text || turn.text,
        state: event.code === CANCELLED ? 'cancelled' : 'failed',
        status: '',
        message: event.code === CANCELLED ? 'Stopped.' : event.message,
        consent: event.consent,
      };
  }
}

/** A turn that was kept. */
export function kept(turn: ConversationTurn): Turn {
  const state = turn.state === 'done' || turn.state === 'cancelled' || turn.state === 'running' ? turn.state : 'failed';
  return {
    ...begun(turn.id, turn.question),
    ...withSources(turn.sources),
    ...withCitations(turn.citations),
    text: turn.answer,
    // One that was under way in another window, or when the editor was closed, sends its events elsewhere.
    state: state === 'running' ? 'cancelled' : state,
    status: '',
    notices: turn.state === 'done' ? notices(turn) : [],
    unsupported: turn.unsupported.map(({ text }) => text),
    message: state === 'running' ? 'This answer was not completed here.' : turn.message || (state === 'cancelled' ? 'Stopped.' : ''),
    foot: turn.state === 'done' ? foot(turn) : '',
  };
}

/** What goes to the page: without the places, which stay here. */
export function shown(turn: Turn): ShownTurn {
  const { id, question, text, state, status, sources, citations, notices: told, unsupported, message, consent, foot: below } = turn;
  return { id, question, text, state, status, sources, citations, notices: told, unsupported, message, consent, foot: below };
}

function withSources(sources: readonly ChatSource[]): Pick<Turn, 'sources' | 'places'> {
  return {
    places: sources,
    sources: sources.map((each) => ({
      number: each.number,
      label: [each.title, ...each.outline.filter((heading) => heading !== each.title)].join(' › '),
      path: each.path,
      private: each.private,
    })),
  };
}

function withCitations(citations: readonly ChatCitation[]): Pick<Turn, 'citations' | 'cited'> {
  return { cited: citations, citations: citations.map(({ number, start, end, quote }) => ({ number, start, end, quote })) };
}

function found(sources: number): string {
  return sources === 1 ? 'Reading 1 passage…' : `Reading ${String(sources)} passages…`;
}

function missing(degraded: readonly string[], leftOut: number): string[] {
  const parts = degraded.length ? [`A part of the search was missing: ${degraded.join(', ')}.`] : [];
  return leftOut ? [...parts, `${String(leftOut)} private ${leftOut === 1 ? 'passage was' : 'passages were'} not shown to the model.`] : parts;
}

function notices(end: Pick<ChatDoneEvent, 'notices' | 'removed'> & { readonly reason: string }): string[] {
  return [
    ...end.notices,
    ...(end.reason === 'length' ? ['The answer was cut off: it was longer than allowed.'] : []),
    ...(end.reason === 'filtered' ? ['The service held back a part of the answer.'] : []),
    ...(end.removed.length ? [`Taken out, since there is no such source: ${end.removed.join(' ')}`] : []),
  ];
}

function foot(end: { model: string; usage: ChatUsage | null; cost: number | null }): string {
  const { model, usage, cost } = end;
  const tokens = usage ? `${usage.estimated ? 'about ' : ''}${String(usage.input_tokens)} + ${String(usage.output_tokens)} tokens` : '';
  return [model, tokens, cost ? `$${cost.toPrecision(2)}` : ''].filter(Boolean).join(' · ');
}
