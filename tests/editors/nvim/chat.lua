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
    return chat and #chat.turns > 0 and not chats.running(chat)
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

---@param keys string
local function press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'x', false)
end

---Close all windows of conversations.
local function close_chats()
  vim.cmd('silent! only')
  vim.cmd.enew()
end

---@return string
local function winbar()
  return vim.api.nvim_eval_statusline(vim.wo.winbar, { winid = 0, use_winbar = true }).str
end

t.case('what is selected is what the question is about, saved or not', function()
  close_chats()
  t.attach('homelab/network.md')
  vim.api.nvim_buf_set_lines(0, 2, 2, false, { 'The 外婆 🦉 router hums.' })
  t.cursor_on('外婆')
  vim.cmd('normal! v3l\27')
  vim.cmd("'<,'>KhojChat")
  local chat = assert(chats.current())
  t.eq('homelab/network.md:3–3', chat.context[1].label)
  local sent
  local request = require('khoj_ls.server').request
  require('khoj_ls.server').request = function(method, params, ...)
    if method == 'khoj/chat' then
      local client = vim.lsp.get_clients({ name = 'khoj_ls' })[1]
      sent = { params(client), client.offset_encoding }
    end
    return request(method, params, ...)
  end
  vim.cmd.KhojChat('What hums?')
  require('khoj_ls.server').request = request
  ended()
  t.eq('utf-8', sent[2])
  local range = sent[1].context[1].range
  t.eq({ 4, 4 + #'外婆 🦉' }, { range.start.character, range['end'].character })
  t.has(t.text(chat.bufnr), 'homelab/network.md:3')
  vim.cmd('buffer ' .. vim.fn.bufnr('homelab/network.md') .. ' | silent edit!')
end)

t.case('words of a buffer that is no note are quoted', function()
  close_chats()
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'if drops:', '  restart()' })
  vim.bo.modified = false
  vim.cmd('1,2KhojChat!')
  local chat = assert(chats.current())
  t.has(t.text(chat.bufnr), '> if drops:\n>   restart()')
end)

t.case('persona and model are chosen, shown, and sent', function()
  vim.cmd('KhojChat!')
  local chat = assert(chats.current())
  t.select(function(lines)
    for index, line in ipairs(lines) do
      if line:find('scripted/plain', 1, true) or line:find('summar', 1, true) then
        return index
      end
    end
    return 1
  end)
  vim.cmd.KhojChatModel('none')
  vim.cmd.KhojChatPersona()
  t.wait_told('persona: ')
  t.has(winbar(), 'none')
  t.has(winbar(), chat.persona)
  t.eq(true, #vim.fn.getcompletion('KhojChatPersona ', 'cmdline') > 0)
  vim.cmd.KhojChat('What did I change at the router?')
  ended()
  assert(not t.text(chat.bufnr):find('Both changes were made on 3 May: the radio', 1, true), 'no model was asked')
end)

t.case('before notes go to a service the user is asked; after a no asking again asks for a yes, which is noted', function()
  local answer, asked = 'No', nil
  t.select(function(lines, _, prompt)
    asked = prompt
    return vim.iter(ipairs(lines)):find(function(_, line)
      return line:find(answer, 1, true)
    end)
  end)
  vim.cmd('KhojChat!')
  vim.cmd.KhojChatModel('far')
  vim.cmd.KhojChat('What did I change at the router?')
  local chat = assert(chats.current())
  ended()
  t.has(asked, 'passages of your notes to https://llm.example.invalid')
  t.eq('https://llm.example.invalid', chat.turns[1].consent.host)
  local function remarks()
    return vim.inspect(vim.api.nvim_buf_get_extmarks(chat.bufnr, -1, 0, -1, { details = true }))
  end
  t.has(remarks(), 'Nothing was sent: https://llm.example.invalid wants your yes')
  vim.cmd.KhojChatRetry()
  t.wait_told('nothing was sent')
  answer = 'Yes'
  vim.cmd.KhojChatRetry()
  t.wait(function()
    return not chat.turns[1].consent and not chats.running(chat)
  end, 'the service was asked')
  ended()
  assert(not remarks():find('wants your yes', 1, true), 'it was sent: there is no such service, but that is another story')
  t.has(t.ask(chat.client, 'khoj/allowHost', { host = 'https://llm.example.invalid' }).hosts[1], 'llm.example.invalid')
end)

t.case('slash commands are completed at the beginning of a question', function()
  vim.cmd('KhojChat!')
  vim.api.nvim_buf_set_lines(0, -2, -1, false, { '/he' })
  vim.cmd('normal! G$')
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(0), 2 })
  local words = require('khoj_ls.chat.keys').omni(0, '/he')
  t.eq('/help', words[1].word)
end)

t.case('the words that are cited are shown by K', function()
  vim.cmd('KhojChat! What did I change at the router?')
  ended()
  t.cursor_on('1]. The firmware')
  press('K')
  local win = t.wait(function()
    return vim.iter(vim.api.nvim_list_wins()):find(function(each)
      return vim.w[each]['khoj_ls.cited'] ~= nil
    end)
  end)
  t.has(t.text(vim.api.nvim_win_get_buf(win)), '[1] homelab/')
  vim.api.nvim_win_close(win, true)
end)

t.case('one question is asked above the other windows, and goes on beside them', function()
  close_chats()
  local count = #vim.api.nvim_list_wins()
  vim.cmd.KhojAsk('What did I change at the router?')
  ended()
  t.eq('editor', vim.api.nvim_win_get_config(0).relative)
  t.has(t.text(), ANSWER)
  press('<LocalLeader>o')
  t.eq('', vim.api.nvim_win_get_config(0).relative)
  t.eq(count + 1, #vim.api.nvim_list_wins())
end)

t.case('undo does not take an answer away', function()
  vim.cmd('KhojChat! What did I change at the router?')
  ended()
  vim.cmd('silent! undo | silent! undo')
  t.has(t.text(), ANSWER)
end)

t.case('an answer that the user edits meanwhile goes on, and the next question is kept', function()
  vim.cmd('KhojChat! What did I slowly change at the router?')
  local chat = assert(chats.current())
  t.wait(function()
    return t.text(chat.bufnr):find('word5 ', 1, true)
  end)
  vim.api.nvim_buf_set_lines(chat.bufnr, -2, -1, false, { 'the next question' })
  vim.cmd('1,1delete _')
  t.wait(function()
    return t.text(chat.bufnr):find('word30 ', 1, true)
  end)
  chats.stop(chat)
  ended()
  t.has(t.text(chat.bufnr), '## You\n\nthe next question')
end)

t.case('a server that ends fails the answer, which can be asked again', function()
  local _, client = t.attach('index.md')
  require('khoj_ls').setup({ restart = { delays = { 20 } } })
  vim.cmd('KhojChat! What did I slowly change at the router?')
  local chat = assert(chats.current())
  t.wait(function()
    return t.text(chat.bufnr):find('word5 ', 1, true)
  end)
  vim.uv.kill(vim.iter(vim.api.nvim_get_proc_children(vim.fn.getpid())):last(), 'sigkill')
  ended()
  local marks = vim.api.nvim_buf_get_extmarks(chat.bufnr, -1, 0, -1, { details = true })
  t.has(vim.inspect(marks), 'the server ended before the answer did')
  t.wait(function()
    local again = vim.lsp.get_clients({ name = 'khoj_ls' })[1]
    return again and again.id ~= client.id
  end)
  vim.api.nvim_buf_set_lines(chat.bufnr, 2, 3, false, { 'What did I change at the router?' })
  vim.cmd.KhojChatRetry()
  ended()
  t.has(t.text(chat.bufnr), ANSWER)
end)

t.case('wiping the buffer out calls the answer off', function()
  vim.cmd('KhojChat! What did I slowly change at the router?')
  local chat = assert(chats.current())
  t.wait(function()
    return t.text(chat.bufnr):find('word5 ', 1, true)
  end)
  vim.cmd('bwipeout! ' .. chat.bufnr)
  local client = vim.lsp.get_clients({ name = 'khoj_ls' })[1]
  t.wait(function()
    local found = t.ask(client, 'khoj/conversations', { action = 'get', conversation = chat.conversation })
    return found.turns[1] and found.turns[1].state == 'cancelled'
  end)
end)

t.case('a kept conversation is opened, renamed, exported and deleted', function()
  close_chats()
  local bufnr = assert(chats.current()).bufnr
  for _, each in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(each):find('khoj_ls://chat/', 1, true) then
      vim.api.nvim_buf_delete(each, { force = true })
    end
  end
  t.eq(false, vim.api.nvim_buf_is_valid(bufnr))
  t.select(function(lines)
    for index, line in ipairs(lines) do
      if line:find('2 questions', 1, true) then
        return index
      end
    end
  end)
  vim.cmd.KhojConversations()
  local chat = t.wait(chats.current)
  t.eq(2, #chat.turns)
  t.has(t.text(), '## khoj_ls\n\n' .. ANSWER .. '\n\n[1] homelab/')
  t.cursor_on('1]. The firmware')
  press('gf')
  t.has(t.place(), 'homelab/')
  vim.cmd.KhojChatRename('Radio 🦉')
  t.wait(function()
    return chat.title == 'Radio 🦉'
  end)
  local file = vim.fn.tempname() .. '.org'
  vim.cmd.KhojChatExport(file)
  t.wait_told('written to ' .. file)
  t.has(table.concat(vim.fn.readfile(file), '\n'), 'Radio 🦉')
  vim.cmd.KhojChatExport(file)
  t.wait_told('is there already')
  t.select(function(lines)
    return vim.iter(ipairs(lines)):find(function(_, line)
      return line == 'Yes'
    end)
  end)
  vim.cmd.KhojChatDelete()
  t.wait_told('deleted')
  t.eq(false, vim.api.nvim_buf_is_valid(chat.bufnr))
end)

t.case('citations at one place are offered together; offsets are characters', function()
  local citations = require('khoj_ls.chat.citations')
  local place = citations.places('外婆 🦉 [1]\nb [2]', { 4, 0 })
  t.eq({ { 4, #'外婆 🦉 ' }, { 5, 2 } }, { place(5), place(11) })
  t.eq({ [1] = true, [3] = true }, citations.numbers_at('so [1, 3] it', 5))
  t.eq({}, citations.numbers_at('so [1, 3] it', 11))
end)

t.finish()
