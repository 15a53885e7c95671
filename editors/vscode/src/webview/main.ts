/** The chat's page. It holds nothing of its own: what it shows, the extension has told it. */

import type { ChatState, FromPage, ToPage } from '../chat/messages';
import { element } from './markdown';
import { TurnNode } from './turn';

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void; getState(): unknown; setState(state: unknown): void };

const editor = acquireVsCodeApi();
const post = (message: FromPage): void => {
  editor.postMessage(message);
};
const by = (id: string): HTMLElement => document.getElementById(id) ?? document.body;

const log = by('turns');
const question = by('question') as HTMLTextAreaElement;
const send = by('send');
const list = by('commands');
const turns = new Map<string, TurnNode>();
let state: ChatState | undefined;
let atEnd = true;

const isRunning = (): boolean => [...turns.values()].some((turn) => turn.running);

log.addEventListener('scroll', () => {
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
});

/** Keep the end in sight while an answer comes, unless the reader has scrolled up. */
function drawn(): void {
  if (atEnd) {
    log.scrollTop = log.scrollHeight;
  }
  const running = isRunning();
  send.textContent = running ? '■' : '▶';
  send.title = running ? 'Stop (Escape)' : 'Ask (Enter)';
  send.setAttribute('aria-label', running ? 'Stop' : 'Ask');
}

function show(next: ChatState): void {
  state = next;
  turns.clear();
  log.replaceChildren();
  if (next.turns.length === 0) {
    log.append(element('p', next.greeting || 'Ask a question: the answer is made from your notes, and says which.', 'greeting'));
  }
  for (const turn of next.turns) {
    const made = new TurnNode(turn, post, drawn);
    turns.set(turn.id, made);
    log.append(made.node);
  }
  by('chips').replaceChildren(
    ...next.chips.map((chip, index) => {
      const button = element('button', `${chip.label} ✕`, 'chip');
      button.title = `${chip.title}: remove`;
      button.onclick = () => {
        post({ type: 'removeChip', index });
      };
      return button;
    }),
  );
  by('persona').textContent = next.persona;
  by('model').textContent = next.model;
  const off = by('off');
  off.hidden = !next.off;
  off.replaceChildren(element('span', next.off));
  if (next.restricted) {
    const trust = element('button', 'Manage Trust', 'primary');
    trust.onclick = () => {
      post({ type: 'trust' });
    };
    off.append(trust);
  }
  question.disabled = next.off !== '';
  atEnd = true;
  drawn();
}

function ask(): void {
  const text = question.value.trim();
  if (isRunning()) {
    post({ type: 'stop' });
  } else if (text && !state?.off) {
    question.value = '';
    grow();
    post({ type: 'ask', text });
  }
}

/** The box is as high as what is written in it. */
function grow(): void {
  question.style.height = 'auto';
  question.style.height = `${String(Math.min(question.scrollHeight, 200))}px`;
  // What is being written outlives the page, which is thrown away when it is hidden.
  editor.setState({ draft: question.value });
  offer();
}

/** Commands that begin as what is typed. */
function offer(): void {
  const typed = /^\/(\S*)$/.exec(question.value);
  const found = typed ? (state?.commands ?? []).filter(({ name }) => name.startsWith(typed[1] ?? '')) : [];
  list.hidden = found.length === 0;
  list.replaceChildren(
    ...found.map((each, index) => {
      const option = element('button', '', 'command');
      option.setAttribute('role', 'option');
      option.dataset['name'] = `/${each.name}`;
      option.setAttribute('aria-selected', String(index === 0));
      option.append(element('b', `/${each.name}`), element('span', ` ${each.about}`));
      option.onclick = () => {
        complete(each.name);
      };
      return option;
    }),
  );
}

function complete(name: string): void {
  question.value = `/${name} `;
  grow();
  question.focus();
}

function move(by_: number): void {
  const options = [...list.children];
  const at = options.findIndex((option) => option.getAttribute('aria-selected') === 'true');
  for (const [index, option] of options.entries()) {
    option.setAttribute('aria-selected', String(index === (at + by_ + options.length) % options.length));
  }
}

question.addEventListener('input', grow);
question.addEventListener('keydown', (event) => {
  const chosen = list.hidden ? null : list.querySelector<HTMLElement>('[aria-selected="true"]');
  if (event.isComposing) {
    return;
  }
  if (event.key === 'Escape') {
    if (chosen) {
      list.hidden = true;
    } else {
      post({ type: 'stop' });
    }
  } else if (chosen && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    move(event.key === 'ArrowDown' ? 1 : -1);
    event.preventDefault();
  } else if (chosen && (event.key === 'Tab' || (event.key === 'Enter' && chosen.dataset['name'] !== question.value))) {
    chosen.click();
    event.preventDefault();
  } else if (event.key === 'Enter' && !event.shiftKey) {
    ask();
    event.preventDefault();
  }
});
send.onclick = ask;
by('add').onclick = () => {
  post({ type: 'addSelection' });
};
by('persona').onclick = () => {
  post({ type: 'persona' });
};
by('model').onclick = () => {
  post({ type: 'model' });
};

window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  switch (data.type) {
    case 'state':
      show(data.state);
      break;
    case 'turn':
      turns.get(data.turn.id)?.update(data.turn);
      break;
    case 'delta':
      turns.get(data.id)?.grow(data.text);
      break;
    case 'focus':
      question.value = data.text || question.value;
      grow();
      question.focus();
      post({ type: 'focused' });
      break;
  }
});
const before = editor.getState();
if (before && typeof before === 'object' && 'draft' in before) {
  question.value = String(before.draft);
}
post({ type: 'ready' });
