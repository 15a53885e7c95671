-- khoj-ls in Neovim 0.11 or later, with no client of its own: paste it into your init.lua.
-- editors/nvim has the client: pickers, related notes, chat.
vim.lsp.config('khoj_ls', {
  cmd = { 'khoj-ls' },
  filetypes = { 'markdown', 'org', 'text' },
  root_markers = { '.khoj.toml', '.git', '.obsidian', 'logseq', 'dendron.yml' },
  -- Session settings, as docs/configuration.md lists them.
  settings = { khoj_ls = { search = { limit = 20 } } },
})
vim.lsp.enable('khoj_ls')

-- K, grr, gri, grn, gra and CTRL-X CTRL-O are Neovim's own; these are missing.
vim.keymap.set('n', '<leader>ns', vim.lsp.buf.workspace_symbol, { desc = 'Notes: search' })
vim.keymap.set('n', '<leader>nb', vim.lsp.buf.incoming_calls, { desc = 'Notes: what links here' })
