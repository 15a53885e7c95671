--- khoj_ls for Neovim: what a configuration may call. See :help khoj_ls.

local M = {}

---Take over options, and set the default keys where they ask for it. Not needed: all works without it.
---@param options khoj_ls.Options?
function M.setup(options)
  require('khoj_ls.options').set(options)
  local keymaps = require('khoj_ls.options').get().keymaps
  if keymaps then
    local keys = require('khoj_ls.keymaps')
    keys.set(type(keymaps) == 'string' and keymaps or keys.PREFIX)
  end
end

---Search the notes: as you type, or for a query that is given.
---@param options khoj_ls.SearchOptions?
function M.search(options)
  require('khoj_ls.search').search(options)
end

---Open or close the side window with notes like the place where the cursor is.
function M.related()
  require('khoj_ls.related').toggle()
end

---List the links to the current note.
---@param options { kind: khoj_ls.LinkKind?, quickfix: boolean? }?
function M.backlinks(options)
  require('khoj_ls.links').backlinks(options)
end

---Insert a link at the cursor.
---@param options khoj_ls.LinkOptions?
function M.link(options)
  require('khoj_ls.links').insert(options)
end

---Open the conversation, or begin one.
---@param start khoj_ls.ChatStart?
function M.chat(start)
  require('khoj_ls.chat').open(start)
end

---Ask one question in a window above the others.
---@param start khoj_ls.ChatStart?
function M.ask(start)
  require('khoj_ls.chat').ask(start or {})
end

---Show the daemon, the vaults and what is being indexed.
function M.status()
  require('khoj_ls.status').show()
end

---What the servers are busy with, for 'statusline': `%{%v:lua.require'khoj_ls'.statusline()%}`. Empty when they rest.
---@return string
function M.statusline()
  return require('khoj_ls.progress').statusline()
end

---Ask the server anything (docs/protocol.md), from any buffer.
---@param method string such as `khoj/search`
---@param params table
---@param done fun(failure: khoj_ls.Failure?, result: any)
---@return fun() cancel
function M.request(method, params, done)
  return require('khoj_ls.server').request(method, params, {}, done)
end

return M
