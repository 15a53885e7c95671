--- The keys of a conversation's buffer, and completion of slash commands there.

local say = require('khoj_ls.say')

local M = {}

---@type { [1]: string|string[], [2]: string|string[], [3]: string, [4]: fun(chat: khoj_ls.Chat) }[] modes, keys, what, call
local KEYS = {
  {
    'n',
    { '<CR>', '<2-LeftMouse>' },
    'open what is cited here; below the last heading: ask',
    function(chat)
      local chats = require('khoj_ls.chat')
      if require('khoj_ls.chat.follow').follow(chat) then
        return
      elseif chats.in_prompt(chat) then
        chats.send(chat)
      else
        say.info('no citation here')
      end
    end,
  },
  {
    'n',
    { 'gf', '<C-]>' },
    'open what is cited here',
    function(chat)
      if not require('khoj_ls.chat.follow').follow(chat) then
        say.info('no citation here')
      end
    end,
  },
  {
    'n',
    'K',
    'show the words that are cited here',
    function(chat)
      require('khoj_ls.chat.follow').peek(chat)
    end,
  },
  {
    { 'n', 'i' },
    '<C-s>',
    'ask',
    function(chat)
      require('khoj_ls.chat').send(chat)
    end,
  },
  {
    'n',
    { '<C-c>', '<LocalLeader>s' },
    'stop the answer',
    function(chat)
      require('khoj_ls.chat').stop(chat)
    end,
  },
  {
    'n',
    '<LocalLeader>r',
    'ask the last question again',
    function(chat)
      require('khoj_ls.chat').retry(chat)
    end,
  },
  {
    'n',
    '<LocalLeader>p',
    'choose who answers',
    function()
      require('khoj_ls.chat.choices').persona()
    end,
  },
  {
    'n',
    '<LocalLeader>m',
    'choose the model',
    function()
      require('khoj_ls.chat.choices').model()
    end,
  },
  {
    'n',
    '<LocalLeader>n',
    'begin a new conversation',
    function()
      require('khoj_ls.chat').open({ new = true })
    end,
  },
  {
    'n',
    '<LocalLeader>o',
    'go on beside the other windows',
    function(chat)
      require('khoj_ls.chat').to_split(chat)
    end,
  },
}

---The keys with what they do, for help.
---@return string[]
function M.describe()
  return vim.tbl_map(function(each)
    local keys = type(each[2]) == 'table' and table.concat(each[2], ' ') or each[2]
    return ('%-22s %s'):format(keys, each[3])
  end, KEYS)
end

---For 'omnifunc': slash commands at the beginning of a question.
---@param find integer
---@param base string
---@return integer|table[]
function M.omni(find, base)
  local before = vim.api.nvim_get_current_line():sub(1, vim.api.nvim_win_get_cursor(0)[2])
  if find == 1 then
    return before:match('^%s*/[%w_-]*$') and #before:match('^%s*') or -3
  end
  local words = {}
  for _, command in ipairs(require('khoj_ls.chat.choices').known().commands or {}) do
    local word = '/' .. command.name
    if vim.startswith(word, base) then
      words[#words + 1] = { word = word, menu = command.about, info = command.usage }
    end
  end
  return words
end

---@param chat khoj_ls.Chat
function M.set(chat)
  for _, each in ipairs(KEYS) do
    for _, key in ipairs(type(each[2]) == 'table' and each[2] or { each[2] }) do
      vim.keymap.set(each[1], key, function()
        each[4](chat)
      end, { buffer = chat.bufnr, nowait = true, desc = 'khoj_ls: ' .. each[3] })
    end
  end
  vim.keymap.set('n', 'g?', function()
    vim.lsp.util.open_floating_preview(M.describe(), '', { border = 'rounded', focus_id = 'khoj_ls.keys' })
  end, { buffer = chat.bufnr, desc = 'khoj_ls: keys' })
  if chat.float then
    vim.keymap.set('n', 'q', function()
      if not chat.float then
        return vim.api.nvim_feedkeys('q', 'n', false)
      end
      vim.api.nvim_win_close(0, true)
    end, { buffer = chat.bufnr, nowait = true, desc = 'khoj_ls: close' })
  end
  vim.bo[chat.bufnr].omnifunc = "v:lua.require'khoj_ls.chat.keys'.omni"
end

return M
