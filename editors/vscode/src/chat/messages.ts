/** What the extension and the chat's web page tell each other. */

import type { ChatConsent } from '../wire';

/** A passage that the answer was made from. */
export interface ShownSource {
  readonly number: number;
  /** Title and headings. */
  readonly label: string;
  readonly path: string;
  readonly private: boolean;
}

/** A place of the answer that names a source: code points [start, end) of its text. */
export interface ShownCitation {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly quote: string;
}

/** A question with its answer. */
export interface ShownTurn {
  readonly id: string;
  readonly question: string;
  readonly text: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** What is being done, while it runs. */
  readonly status: string;
  readonly sources: readonly ShownSource[];
  readonly citations: readonly ShownCitation[];
  /** What the user should know beside the answer. */
  readonly notices: readonly string[];
  /** Sentences of the answer that name no source. */
  readonly unsupported: readonly string[];
  /** What went wrong, and what to do. */
  readonly message: string;
  readonly consent: ChatConsent | null;
  /** Who answered, and what it cost. */
  readonly foot: string;
}

/** Something that the next question is about. */
export interface Chip {
  readonly label: string;
  readonly title: string;
}

/** All that the page shows. */
export interface ChatState {
  readonly turns: readonly ShownTurn[];
  readonly chips: readonly Chip[];
  readonly persona: string;
  readonly model: string;
  readonly greeting: string;
  readonly commands: readonly { readonly name: string; readonly about: string; readonly usage: string }[];
  /** Why nothing can be asked; empty where it can. */
  readonly off: string;
  /** Whether that is because the workspace is not trusted. */
  readonly restricted: boolean;
}

/** To the page. */
export type ToPage =
  | { readonly type: 'state'; readonly state: ChatState }
  | { readonly type: 'turn'; readonly turn: ShownTurn }
  | { readonly type: 'delta'; readonly id: string; readonly text: string }
  | { readonly type: 'focus'; readonly text: string };

/** From the page. */
export type FromPage =
  | { readonly type: 'ready' | 'focused' | 'stop' | 'addSelection' | 'persona' | 'model' | 'trust' }
  | { readonly type: 'ask'; readonly text: string }
  | { readonly type: 'retry' | 'allow' | 'copy' | 'apply'; readonly turn: string }
  | { readonly type: 'removeChip'; readonly index: number }
  | { readonly type: 'source'; readonly turn: string; readonly number: number; readonly beside: boolean }
  | { readonly type: 'citation'; readonly turn: string; readonly index: number; readonly beside: boolean };
