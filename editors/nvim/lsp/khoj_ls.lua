-- The server as `vim.lsp.enable('khoj_ls')` starts it. Set parts of your own on top with `vim.lsp.config('khoj_ls', { ... })`.
-- Modules are required when something happens, so that reading this file does nothing else.

---@type vim.lsp.Config
return {
  cmd = { 'khoj-ls' },
  filetypes = { 'markdown', 'org', 'text' },
  root_dir = function(bufnr, on_dir)
    require('khoj_ls.server').root_dir(bufnr, on_dir)
  end,
  capabilities = {
    -- Lenses with counts of links then carry the places, and ours show them in a list.
    experimental = { commands = { commands = { 'khoj-ls.showReferences' } } },
  },
  commands = {
    ['khoj-ls.showReferences'] = function(command, context)
      require('khoj_ls.links').show_references(command.arguments, context)
    end,
  },
  handlers = {
    ['window/showDocument'] = function(err, params, context)
      return require('khoj_ls.jump').show_document(err, params, context)
    end,
    ['khoj/chatEvent'] = function(_, event)
      require('khoj_ls.events').chat(event)
    end,
    ['khoj/indexChanged'] = function(_, changed)
      require('khoj_ls.events').index(changed)
    end,
  },
  on_attach = function()
    require('khoj_ls.hover').on_attach()
  end,
  on_exit = function(code, signal, client_id)
    require('khoj_ls.restart').on_exit(code, signal, client_id)
  end,
}
