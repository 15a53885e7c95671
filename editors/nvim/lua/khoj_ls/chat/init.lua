--- Conversations: buffers in which questions are asked and answers stream in.

local items = require('khoj_ls.items')
local options = require('khoj_ls.options')
local region = require('khoj_ls.region')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')
local turns = require('khoj_ls.chat.turn')
local view = require('khoj_ls.chat.view')

local M = {}

---@class khoj_ls.Chat
---@field bufnr integer
---@field prompt integer mark of the heading of the next question
---@field conversation string? id
---@field title string
---@field turns khoj_ls.Turn[]
---@field links table<integer, khoj_ls.Passage[]> by mark
---@field context khoj_ls.ChatContext[] what the next question is about
---@field persona string?
---@field model string?
---@field client vim.lsp.Client? the one that it was begun with
---@field source integer buffer that it was begun from
---@field float boolean

---@class khoj_ls.ChatContext
---@field label string
---@field document lsp.TextDocumentIdentifier
---@field region khoj_ls.Region

---By buffer.
---@type table<integer, khoj_ls.Chat>
local chats = {}

---The buffer of the conversation that was used last.
---@type integer?
local last

---@param chat khoj_ls.Chat
---@return khoj_ls.Turn?
local function running(chat)
  local turn = chat.turns[#chat.turns]
  return turn and turn.running and turn or nil
end

---The conversation of the current buffer, else the one used last.
---@return khoj_ls.Chat?
function M.current()
  return chats[vim.api.nvim_get_current_buf()] or chats[last or -1]
end

---@param chat khoj_ls.Chat
---@return khoj_ls.Drawing
local function drawing(chat)
  return {
    bufnr = chat.bufnr,
    link = function(mark, passages)
      chat.links[mark] = passages
    end,
    ended = function()
      vim.cmd.redrawstatus({ bang = true })
    end,
  }
end

---For the winbar of a conversation's window: who answers, and whether an answer is under way.
---@return string
function M.winbar()
  local win = vim.g.statusline_winid or 0
  local chat = chats[vim.api.nvim_win_get_buf(win)]
  if not chat then
    return ''
  end
  local function plain(text)
    return (text:gsub('%%', '%%%%'))
  end
  local parts = { ' %#KhojRole#' .. plain(chat.title ~= '' and chat.title or 'Chat') .. '%*' }
  for _, who in ipairs({ chat.persona or '', chat.model or '' }) do
    parts[#parts + 1] = plain(who)
  end
  local state = running(chat) and '%#KhojMark#answering – CTRL-C stops%*' or '%#KhojDim#g? help%*'
  return table.concat(parts, '  ') .. '%=' .. state .. ' '
end

---@param chat khoj_ls.Chat
local function show_context(chat)
  local labels = vim.tbl_map(function(each)
    return 'about ' .. each.label
  end, chat.context)
  view.set_context(chat.bufnr, chat.prompt, labels)
end

---@param persona string?
---@param model string?
---@param float boolean
---@return khoj_ls.Chat
local function create(persona, model, float)
  require('khoj_ls.highlights').define()
  local set = options.get().chat
  local source = vim.api.nvim_get_current_buf()
  local bufnr, prompt = view.create()
  ---@type khoj_ls.Chat
  local chat = {
    bufnr = bufnr,
    prompt = prompt,
    title = '',
    turns = {},
    links = {},
    context = {},
    persona = persona or set.persona,
    model = model or set.model,
    source = source,
    float = float,
  }
  chats[bufnr], last = chat, bufnr
  require('khoj_ls.chat.keys').set(chat)
  vim.api.nvim_create_autocmd('BufEnter', {
    buffer = bufnr,
    callback = function()
      last = bufnr
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = bufnr,
    callback = function()
      local turn = running(chat)
      if turn then
        turn.cancel()
      end
      chats[bufnr] = nil
      if last == bufnr then
        last = next(chats)
      end
    end,
  })
  return chat
end

---@param chat khoj_ls.Chat
local function show(chat)
  view.show(chat.bufnr, chat.float and 'float' or options.get().chat.position)
end

---Add what is selected to what the next question is about. Words of a buffer that the server does not know are quoted.
---@param chat khoj_ls.Chat
---@param chosen khoj_ls.Region
local function add_region(chat, chosen)
  local client = server.attached(chosen.bufnr)
  if client then
    local path = items.path(vim.uri_from_bufnr(chosen.bufnr), client.root_dir)
    local lines = ('%d–%d'):format(chosen.first[1] + 1, chosen.last[1] + 1)
    table.insert(chat.context, {
      label = ('%s:%s'):format(path, lines),
      document = region.document(chosen.bufnr),
      region = chosen,
    })
    show_context(chat)
    return
  end
  local quoted = vim.tbl_map(function(line)
    return '> ' .. line
  end, vim.split(region.text(chosen), '\n'))
  local question = view.between(chat.bufnr, chat.prompt)
  local parts = { question ~= '' and question .. '\n\n' or '', table.concat(quoted, '\n'), '\n\n' }
  view.set_question(chat.bufnr, chat.prompt, table.concat(parts))
end

---The client that a conversation was begun with, while it runs.
---@param chat khoj_ls.Chat
---@return vim.lsp.Client?
local function client_of(chat)
  return chat.client and not chat.client:is_stopped() and chat.client or nil
end

---@param chat khoj_ls.Chat
---@param turn khoj_ls.Turn
---@param message string
---@param replaces string?
local function ask(chat, turn, message, replaces)
  local context, source = turn.context, chat.source
  local known = vim.api.nvim_buf_is_valid(source) and server.attached(source)
  turns.ask(turn, drawing(chat), function(client)
    return {
      message = message,
      conversation = chat.conversation,
      replaces = replaces,
      persona = chat.persona,
      model = chat.model,
      context = #context > 0 and vim.tbl_map(function(each)
        return { kind = 'selection', textDocument = each.document, range = region.range(client, each.region) }
      end, context) or nil,
      textDocument = known and region.document(source) or nil,
    }
  end, { client = client_of(chat), bufnr = source }, function(started)
    chat.conversation, chat.client = started.conversation, turn.client
  end)
  vim.cmd.redrawstatus({ bang = true })
end

---Ask what is written below the last heading.
---@param chat khoj_ls.Chat?
function M.send(chat)
  chat = chat or M.current()
  if not chat then
    return say.info('no conversation: :KhojChat begins one')
  elseif running(chat) then
    return say.info('an answer is under way: CTRL-C stops it')
  end
  local question = view.between(chat.bufnr, chat.prompt)
  if question == '' then
    return say.info('write a question below the last heading')
  end
  if chat.title == '' then
    chat.title = vim.fn.strcharpart(vim.split(question, '\n')[1], 0, 40)
  end
  ---@type khoj_ls.Turn
  local turn = {
    question = question,
    context = chat.context,
    sources = {},
    missing = {},
    left_out = 0,
    running = false,
    cancel = function() end,
    marks = nil,
  }
  turn.marks, chat.prompt = view.begin(chat.bufnr, chat.prompt, question)
  table.insert(chat.turns, turn)
  chat.context = {}
  view.to_prompt(chat.bufnr)
  ask(chat, turn, question, nil)
end

---Stop the answer that is under way.
---@param chat khoj_ls.Chat?
function M.stop(chat)
  chat = chat or M.current()
  local turn = chat and running(chat)
  if turn then
    turn.cancel()
  else
    say.info('no answer is under way')
  end
end

---Ask the last question again, in the words it has now; where its passages were not sent, the user is asked for a yes first.
---@param chat khoj_ls.Chat?
function M.retry(chat)
  chat = chat or M.current()
  local turn = chat and chat.turns[#chat.turns]
  if not chat or not turn then
    return say.info('nothing was asked yet')
  elseif turn.running then
    return say.info('an answer is under way: CTRL-C stops it')
  end
  local question = view.between(chat.bufnr, turn.marks.question, turn.marks.answer)
  if question == '' then
    return say.info('the question is empty')
  elseif turn.consent then
    return turns.ask_consent(turn, client_of(chat), function()
      M.retry(chat)
    end)
  end
  view.begin_again(chat.bufnr, turn.marks, chat.prompt)
  turn.question = question
  ask(chat, turn, question, turn.id)
end

---@class khoj_ls.ChatStart
---@field message? string asked at once
---@field region? khoj_ls.Region what it is about
---@field new? boolean whether a conversation that is open is left alone
---@field float? boolean in a window above the others
---@field persona? string
---@field model? string

---Open the conversation, or begin one.
---@param start khoj_ls.ChatStart?
function M.open(start)
  start = start or {}
  local chat = not start.new and M.current() or nil
  if not chat or chat.float ~= (start.float or false) then
    chat = create(start.persona, start.model, start.float or false)
  end
  if start.region then
    add_region(chat, start.region)
  end
  show(chat)
  view.to_prompt(chat.bufnr)
  if start.message and start.message ~= '' then
    local quoted = view.between(chat.bufnr, chat.prompt)
    view.set_question(chat.bufnr, chat.prompt, (quoted ~= '' and quoted .. '\n\n' or '') .. start.message)
    M.send(chat)
  end
end

---Ask one question in a window above the others.
---@param start khoj_ls.ChatStart
function M.ask(start)
  local function go(message)
    if message and vim.trim(message) ~= '' then
      local wanted = { message = message, region = start.region, new = true, float = true }
      M.open(vim.tbl_extend('keep', wanted, start))
    end
  end
  if start.message and start.message ~= '' then
    go(start.message)
  else
    vim.ui.input({ prompt = 'Ask your notes: ' }, go)
  end
end

---Let a conversation that is shown above the others go on beside them.
---@param chat khoj_ls.Chat
function M.to_split(chat)
  for _, win in ipairs(vim.fn.win_findbuf(chat.bufnr)) do
    vim.api.nvim_win_close(win, true)
  end
  chat.float = false
  show(chat)
end

---Draw a conversation that was kept.
---@param info table `ConversationInfo`
---@param kept table[] `ConversationTurn`
function M.open_kept(info, kept)
  for _, chat in pairs(chats) do
    if chat.conversation == info.id then
      return show(chat)
    end
  end
  local chat = create(info.persona ~= '' and info.persona or nil, nil, false)
  chat.conversation, chat.title = info.id, info.title
  for _, each in ipairs(kept) do
    ---@type khoj_ls.Turn
    local turn = {
      id = each.id,
      question = each.question,
      context = {},
      sources = each.sources or {},
      missing = {},
      left_out = 0,
      running = false,
      cancel = function() end,
      marks = nil,
    }
    turn.marks, chat.prompt = view.begin(chat.bufnr, chat.prompt, each.question)
    view.append(chat.bufnr, turn.marks, each.answer)
    if each.state == 'failed' or each.state == 'cancelled' then
      turns.draw_failed(turn, drawing(chat), each.message or '', each.state == 'cancelled' and 'khoj.cancelled' or each.code)
    else
      turns.draw_done(turn, drawing(chat), vim.tbl_extend('force', each, { text = each.answer }))
    end
    table.insert(chat.turns, turn)
  end
  show(chat)
  view.to_prompt(chat.bufnr)
end

---Close a conversation that was deleted.
---@param chat khoj_ls.Chat
function M.close(chat)
  vim.api.nvim_buf_delete(chat.bufnr, { force = true })
end

---The turn that is under way.
---@param chat khoj_ls.Chat
---@return khoj_ls.Turn?
function M.running(chat)
  return running(chat)
end

---Whether the cursor is where the next question is written.
---@param chat khoj_ls.Chat
---@return boolean
function M.in_prompt(chat)
  return view.in_prompt(chat.bufnr, chat.prompt)
end

return M
