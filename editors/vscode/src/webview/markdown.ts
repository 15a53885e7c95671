/** Markdown to nodes of a page. Text becomes text nodes only: nothing of an answer is ever read as HTML, and no picture is loaded. */

import MarkdownIt, { type Token } from 'markdown-it';

const parser = new MarkdownIt({ html: false, linkify: false }).disable('image');
const TAGS = new Set(
  'p h1 h2 h3 h4 h5 h6 ul ol li blockquote em strong s table thead tbody tr th td'.split(' '),
);
/** Around the name of a citation within the text: characters of private use, which Markdown takes for letters. */
export const OPEN = '\uE000';
export const CLOSE = '\uE001';
const MARK = new RegExp(`${OPEN}([^${CLOSE}]*)${CLOSE}`, 'g');

/** Makes what stands in the place of a mark. */
export type Cite = (name: string) => Node;

/** The nodes for a text. `plain` says what a mark had been: in code it stays that. */
export function rendered(text: string, cite: Cite, plain: (name: string) => string): DocumentFragment {
  const top = document.createDocumentFragment();
  render(parser.parse(text, {}), top, cite, plain);
  return top;
}

function render(tokens: readonly Token[], top: Node, cite: Cite, plain: (name: string) => string): void {
  const stack: Node[] = [top];
  const add = (node: Node): void => {
    stack.at(-1)?.appendChild(node);
  };
  const code = (content: string): string => content.replace(MARK, (_, name: string) => plain(name));
  for (const token of tokens) {
    if (token.hidden) {
      continue;
    }
    if (token.nesting === 1) {
      const node = opened(token, code);
      add(node);
      stack.push(node);
    } else if (token.nesting === -1) {
      stack.pop();
    } else if (token.type === 'inline') {
      render(token.children ?? [], stack.at(-1) ?? top, cite, plain);
    } else if (token.type === 'text') {
      addText(token.content, add, cite);
    } else if (token.type === 'code_inline') {
      add(element('code', code(token.content)));
    } else if (token.type === 'fence' || token.type === 'code_block') {
      const block = document.createElement('pre');
      block.appendChild(element('code', code(token.content)));
      add(block);
    } else if (token.type === 'hardbreak' || token.type === 'hr') {
      add(document.createElement(token.type === 'hr' ? 'hr' : 'br'));
    } else if (token.type === 'softbreak') {
      add(document.createTextNode('\n'));
    } else {
      addText(token.content, add, cite);
    }
  }
}

function opened(token: Token, code: (content: string) => string): HTMLElement {
  if (token.type === 'link_open') {
    return link(code(String(token.attrGet('href') ?? '')));
  }
  const node = document.createElement(TAGS.has(token.tag) ? token.tag : 'span');
  const start = Number(token.attrGet('start'));
  if (node instanceof HTMLOListElement && Number.isSafeInteger(start) && start > 1) {
    node.start = start;
  }
  return node;
}

/** A link out of the notes is followed only when it is clicked, and VS Code asks then; other addresses are shown as text. */
function link(href: string): HTMLElement {
  if (!/^(https?|mailto):/i.test(href)) {
    return element('span', '');
  }
  const anchor = document.createElement('a');
  anchor.href = href;
  anchor.title = href;
  return anchor;
}

function addText(text: string, add: (node: Node) => void, cite: Cite): void {
  let at = 0;
  for (const found of text.matchAll(MARK)) {
    add(document.createTextNode(text.slice(at, found.index)));
    add(cite(found[1] ?? ''));
    at = found.index + found[0].length;
  }
  add(document.createTextNode(text.slice(at)));
}

/** An element that holds a text. */
export function element(tag: string, text: string, className = ''): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}
