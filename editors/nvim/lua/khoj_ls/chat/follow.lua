--- From a citation to what it cites.

local chats = require('khoj_ls.chat')
local citations = require('khoj_ls.chat.citations')
local jump = require('khoj_ls.jump')
local say = require('khoj_ls.say')
local view = require('khoj_ls.chat.view')

local M = {}

---The passages that the cursor stands on.
---@param chat khoj_ls.Chat
---@return khoj_ls.Passage[]
local function passages_at_cursor(chat)
  for _, mark in ipairs(view.links_at_cursor(chat.bufnr)) do
    if chat.links[mark] then
      return chat.links[mark]
    end
  end
  local turn = chats.running(chat)
  local found = {}
  if turn then
    local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2] + 1
    local numbers = citations.numbers_at(line, column)
    for _, source in ipairs(turn.sources) do
      if numbers[source.number] then
        found[#found + 1] = citations.passage(source)
      end
    end
  end
  return found
end

---@param chat khoj_ls.Chat
---@param passage khoj_ls.Passage
local function go_to(chat, passage)
  if chat.float then
    vim.api.nvim_win_close(0, true)
  end
  jump.open(passage.uri, passage.lnum, passage.end_lnum)
end

---Open the passage that is cited at the cursor.
---@param chat khoj_ls.Chat
---@return boolean whether there is a citation
function M.follow(chat)
  local passages = passages_at_cursor(chat)
  if #passages == 1 then
    go_to(chat, passages[1])
  elseif #passages > 1 then
    vim.ui.select(passages, {
      prompt = 'Cited here',
      kind = 'khoj_ls',
      format_item = function(passage)
        return passage.label
      end,
    }, function(passage)
      if passage then
        go_to(chat, passage)
      end
    end)
  end
  return #passages > 0
end

---Show the words that are cited at the cursor.
---@param chat khoj_ls.Chat
function M.peek(chat)
  local lines = {}
  for _, passage in ipairs(passages_at_cursor(chat)) do
    if #lines > 0 then
      lines[#lines + 1] = ''
    end
    lines[#lines + 1] = passage.label
    for _, line in ipairs(vim.split(vim.trim(passage.quote), '\n')) do
      lines[#lines + 1] = '  ' .. line
    end
  end
  if #lines == 0 then
    return say.info('no citation here')
  end
  vim.lsp.util.open_floating_preview(lines, '', { border = 'rounded', focus_id = 'khoj_ls.cited', max_width = 80 })
end

return M
