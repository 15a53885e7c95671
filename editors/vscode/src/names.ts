/** Names that package.json and the code share. */

/** Prefix of settings, commands and views. The server's own commands are called `khoj.*`. */
export const SECTION = 'khoj-ls';
/** What the server calls its settings (workspace/configuration). */
export const SERVER_SECTION = 'khoj_ls';
/** The command that the server's code lenses run: arguments uri, position, locations. */
export const SHOW_REFERENCES = 'khoj-ls.showReferences';
/** The only commands that a link in a hover may run; none takes arguments that come from a note. */
export const HOVER_COMMANDS = ['khoj-ls.related', 'khoj-ls.backlinks', 'khoj-ls.ask'] as const;
/** Views. */
export const VIEWS = {
  related: 'khoj-ls.relatedView',
  backlinks: 'khoj-ls.backlinksView',
  conversations: 'khoj-ls.conversationsView',
  status: 'khoj-ls.statusView',
  chat: 'khoj-ls.chatView',
} as const;
/** What is said where there is nothing, in every place that says it. */
export const SAYS = {
  noHits: 'Nothing found',
  noRelated: 'Nothing like this in your notes',
  noBacklinks: 'No note links here',
  noConversations: 'No conversations yet',
} as const;
/** Context keys of keybindings and menus. */
export const CONTEXT = {
  running: 'khoj-ls.running',
  searching: 'khoj-ls.searching',
  answering: 'khoj-ls.answering',
  paused: 'khoj-ls.paused',
} as const;
