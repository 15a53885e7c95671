-- Commands and <Plug> mappings. Nothing is required, started or sent before one of them is used.

if vim.g.loaded_khoj_ls then
  return
end
vim.g.loaded_khoj_ls = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('khoj_ls needs Neovim 0.11 or later', vim.log.levels.WARN)
  return
end

---@param part string
---@return fun(...): string[]
local function complete(part)
  return function(...)
    return require('khoj_ls.complete')[part](...)
  end
end

---@param name string
---@param attributes vim.api.keyset.user_command
local function define(name, attributes)
  vim.api.nvim_create_user_command(name, function(command)
    require('khoj_ls.commands').run[name](command)
  end, attributes)
end

define('KhojSearch', { nargs = '*', bang = true, complete = complete('query'), desc = 'Search the notes' })
define('KhojRelated', { range = true, bang = true, desc = 'Notes like this place, beside it' })
define('KhojBacklinks', {
  nargs = '?',
  bang = true,
  complete = complete('link_kinds'),
  desc = 'Links to this note',
})
define('KhojLink', { nargs = '*', bang = true, range = true, complete = complete('query'), desc = 'Link to a note' })
define('KhojChat', { nargs = '*', bang = true, range = true, desc = 'Chat with the notes' })
define('KhojAsk', { nargs = '*', range = true, desc = 'Ask the notes one question' })
define('KhojChatStop', { desc = 'Stop the answer' })
define('KhojChatRetry', { desc = 'Ask the last question again' })
define('KhojChatPersona', { nargs = '?', complete = complete('personas'), desc = 'Choose who answers' })
define('KhojChatModel', { nargs = '?', complete = complete('models'), desc = 'Choose the model' })
define('KhojChatRename', { nargs = '*', desc = 'Rename the conversation' })
define('KhojChatDelete', { desc = 'Delete the conversation' })
define('KhojChatExport', { nargs = '?', complete = 'file', desc = 'Export the conversation' })
define('KhojConversations', { nargs = '*', desc = 'Go on with a kept conversation' })
define('KhojDaily', { nargs = '?', complete = complete('days'), desc = "A day's note" })
define('KhojCapture', { nargs = '*', range = true, desc = 'Make a note' })
define('KhojRefile', { nargs = '*', complete = complete('query'), desc = 'Move this section to another note' })
define('KhojMenu', { range = true, desc = 'All commands' })
define('KhojStatus', { desc = 'What is indexed, and what is being done' })
define('KhojReindex', { bang = true, desc = 'Bring the index up to date' })
define('KhojPause', { desc = 'Stop indexing until it is resumed' })
define('KhojResume', { desc = 'Go on indexing' })
define('KhojWhy', { desc = 'Why this file is or is not indexed' })
define('KhojRestart', { desc = 'Start the server anew' })

---@type { [1]: string|string[], [2]: string, [3]: string }[] modes, mapping, command
local mappings = {
  { 'n', 'search', '<Cmd>KhojSearch<CR>' },
  { 'n', 'related', '<Cmd>KhojRelated<CR>' },
  { 'x', 'related', ':KhojRelated<CR>' },
  { 'n', 'backlinks', '<Cmd>KhojBacklinks<CR>' },
  { 'n', 'link', '<Cmd>KhojLink<CR>' },
  { 'x', 'link', ':KhojLink<CR>' },
  { 'n', 'chat', '<Cmd>KhojChat<CR>' },
  { 'x', 'chat', ':KhojChat<CR>' },
  { 'n', 'ask', '<Cmd>KhojAsk<CR>' },
  { 'x', 'ask', ':KhojAsk<CR>' },
  { 'n', 'conversations', '<Cmd>KhojConversations<CR>' },
  { 'n', 'daily', '<Cmd>KhojDaily<CR>' },
  { 'n', 'capture', '<Cmd>KhojCapture<CR>' },
  { 'x', 'capture', ':KhojCapture<CR>' },
  { 'n', 'status', '<Cmd>KhojStatus<CR>' },
  { 'n', 'menu', '<Cmd>KhojMenu<CR>' },
  { 'x', 'menu', ':KhojMenu<CR>' },
}

for _, each in ipairs(mappings) do
  vim.keymap.set(each[1], ('<Plug>(khoj-%s)'):format(each[2]), each[3], { silent = true, desc = 'khoj_ls: ' .. each[2] })
end
