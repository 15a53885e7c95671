/** One question with its answer as nodes of the page. */

import type { FromPage, ShownTurn } from '../chat/messages';
import { plainMark, withMarks } from './cited';
import { element, rendered } from './markdown';

/** Sends a message to the extension. */
export type Post = (message: FromPage) => void;

/** A turn on the page, kept up to date. */
export class TurnNode {
  readonly node = document.createElement('article');
  private readonly answer = element('div', '', 'answer');
  private readonly below = element('div', '', 'below');
  private frame = 0;

  constructor(
    private turn: ShownTurn,
    private readonly post: Post,
    private readonly drawn: () => void,
  ) {
    this.node.append(element('div', turn.question, 'question'), this.answer, this.below);
    this.draw();
  }

  get running(): boolean {
    return this.turn.state === 'running';
  }

  /** The turn has changed. */
  update(turn: ShownTurn): void {
    this.turn = turn;
    this.draw();
  }

  /** The answer goes on. */
  grow(text: string): void {
    this.turn = { ...this.turn, text: this.turn.text + text, status: '' };
    // As often as the screen is drawn, however many pieces arrive.
    this.frame ||= requestAnimationFrame(() => {
      this.draw();
    });
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { turn } = this;
    this.node.dataset['state'] = turn.state;
    this.node.dataset['turn'] = turn.id;
    this.answer.replaceChildren(
      rendered(withMarks(turn), (name) => this.cite(name), (name) => plainMark(name, turn.citations)),
    );
    this.below.replaceChildren(...this.underAnswer());
    this.drawn();
  }

  private *underAnswer(): Generator<HTMLElement> {
    const { turn } = this;
    if (turn.status) {
      yield element('div', turn.status, 'status');
    }
    if (turn.consent) {
      yield this.consent();
    } else if (turn.message) {
      yield element('div', turn.message, turn.state === 'cancelled' ? 'status' : 'wrong');
    }
    for (const notice of turn.notices) {
      yield element('div', notice, 'notice');
    }
    if (turn.unsupported.length) {
      yield this.unsupported();
    }
    if (turn.state !== 'running') {
      if (turn.sources.length) {
        yield this.sources();
      }
      yield this.actions();
    }
  }

  private cite(name: string): Node {
    const { turn } = this;
    const index = Number(name.slice(1));
    const citation = name.startsWith('c') ? turn.citations[index] : undefined;
    const number = citation?.number ?? index;
    const source = turn.sources.find((each) => each.number === number);
    const link = element('button', String(number), 'cite');
    link.title = [source?.label, citation?.quote && `“${citation.quote}”`].filter(Boolean).join('\n');
    link.setAttribute('aria-label', `Source ${String(number)}: ${source?.label ?? ''}`);
    link.onclick = (event) => {
      const beside = event.ctrlKey || event.metaKey;
      this.post(
        citation
          ? { type: 'citation', turn: turn.id, index, beside }
          : { type: 'source', turn: turn.id, number, beside },
      );
    };
    return link;
  }

  private sources(): HTMLElement {
    const details = document.createElement('details');
    details.className = 'sources';
    const cited = new Set(this.turn.citations.map(({ number }) => number));
    const { sources } = this.turn;
    details.append(element('summary', `${String(sources.length)} ${sources.length === 1 ? 'source' : 'sources'}`));
    for (const source of [...sources].sort((one, other) => Number(cited.has(other.number)) - Number(cited.has(one.number)))) {
      const link = element('button', `${String(source.number)}. ${source.label}`, cited.has(source.number) ? 'source cited' : 'source');
      link.title = source.path + (source.private ? ' (private)' : '');
      link.onclick = (event) => {
        this.post({ type: 'source', turn: this.turn.id, number: source.number, beside: event.ctrlKey || event.metaKey });
      };
      details.append(link);
    }
    return details;
  }

  private unsupported(): HTMLElement {
    const details = document.createElement('details');
    const { unsupported } = this.turn;
    const label = unsupported.length === 1 ? '1 statement names no source' : `${String(unsupported.length)} statements name no source`;
    details.append(element('summary', label), ...unsupported.map((text) => element('p', text, 'notice')));
    return details;
  }

  private actions(): HTMLElement {
    const row = element('div', '', 'actions');
    const { turn } = this;
    const button = (label: string, title: string, message: FromPage): void => {
      const made = element('button', label);
      made.title = title;
      made.onclick = () => {
        this.post(message);
      };
      row.append(made);
    };
    button('↻ Ask again', 'Ask this question again; what follows it makes room', { type: 'retry', turn: turn.id });
    if (turn.text) {
      button('Copy', 'Copy the answer', { type: 'copy', turn: turn.id });
    }
    if (turn.state === 'done') {
      button('Insert', 'Insert the answer into the note you are in', { type: 'apply', turn: turn.id });
    }
    row.append(element('span', turn.foot, 'foot'));
    return row;
  }

  private consent(): HTMLElement {
    const { turn } = this;
    const card = element('div', '', 'consent');
    const { host, tokens, cost } = turn.consent ?? { host: '', tokens: 0, cost: null };
    const price = cost ? ` (about $${cost.toPrecision(2)})` : '';
    card.append(
      element('p', `May about ${String(tokens)} tokens with passages of your notes be sent to ${host}${price}?`),
      element('p', 'Nothing was sent.', 'status'),
    );
    const yes = element('button', `Yes, and remember ${host}`, 'primary');
    yes.onclick = () => {
      this.post({ type: 'allow', turn: turn.id });
    };
    card.append(yes);
    return card;
  }
}
