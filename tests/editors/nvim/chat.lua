-- Conversations.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
vim.lsp.enable('khoj_ls')
local chats = require('khoj_ls.chat')

local ANSWER =
  'Both changes were made on 3 May: the radio went to channel 36, 80 MHz wide [1]. The firmware was rolled back [2].'

---Wait until no answer is under way.
local function ended()
  t.wait(function()
    local chat = chats.current()
    return chat and #chat.turns > 0 and not chats.is_running(chat)
  end, 'the end of the answer')
end

t.case('a question is answered to its end, and its citations are opened by gf and <CR>', function()
  t.attach('index.md')
  vim.cmd.KhojChat('What did I change at the router?')
  ended()
  t.has(t.text(), '## You\n\nWhat did I change at the router?\n\n## khoj_ls\n\n' .. ANSWER .. '\n\n[1] homelab/')
  t.cursor_on('1]. The firmware')
  vim.api.nvim_feedkeys('gf', 'x', false)
  t.eq('homelab/evenings-without-wifi.md', t.place():match('^[^:]+'))
  vim.cmd.KhojChat()
  t.cursor_on('[2].')
  vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'x', false)
  assert(vim.bo.buftype == '', 'a note is shown')
end)

t.case('the next question goes on with the conversation', function()
  vim.cmd.KhojChat()
  local chat = assert(chats.current())
  local before = chat.conversation
  vim.cmd.KhojChat('And who pays for it?')
  ended()
  t.eq(before, chat.conversation)
  t.eq(2, #chat.turns)
end)

t.case('an answer is stopped, and asked again', function()
  vim.cmd('KhojChat! What did I slowly change at the router?')
  local chat = assert(chats.current())
  t.wait(function()
    return t.text(chat.bufnr):find('word20 ', 1, true)
  end, 'a part of the answer')
  vim.api.nvim_feedkeys(vim.keycode('<C-c>'), 'x', false)
  ended()
  t.has(t.text(chat.bufnr), 'word0 word1')
  local first = chat.turns[1].id
  vim.api.nvim_buf_set_lines(chat.bufnr, 2, 3, false, { 'What did I change at the router?' })
  vim.cmd.KhojChatRetry()
  ended()
  t.has(t.text(chat.bufnr), '## You\n\nWhat did I change at the router?\n\n## khoj_ls\n\n' .. ANSWER)
  assert(chat.turns[1].id ~= first)
  t.eq(1, #chat.turns)
end)

t.finish()
