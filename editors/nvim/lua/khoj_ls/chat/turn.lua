--- One question and its answer: asked of the server, drawn as it comes.

local citations = require('khoj_ls.chat.citations')
local events = require('khoj_ls.events')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')
local view = require('khoj_ls.chat.view')

local M = {}

---@class khoj_ls.Turn
---@field id string? as the server calls it
---@field question string as it was sent
---@field context khoj_ls.ChatContext[] what it is about
---@field marks khoj_ls.Marks
---@field sources table[] `ChatSource`
---@field consent table? `ChatConsent`: nothing was sent, as the user's yes is wanted
---@field left_out integer private passages that the model was not given
---@field missing string[] parts of the search that were missing
---@field running boolean
---@field client vim.lsp.Client?
---@field cancel fun()

---@class khoj_ls.Drawing what a turn needs of the conversation it belongs to
---@field bufnr integer
---@field link fun(mark: integer, passages: khoj_ls.Passage[])
---@field ended fun(turn: khoj_ls.Turn)

---@param event table `ChatDoneEvent`
---@return string
local function expense(event)
  local parts = { event.model ~= '' and event.model or nil }
  local usage = event.usage
  if type(usage) == 'table' then
    local about = usage.estimated and 'about ' or ''
    parts[#parts + 1] = ('%s%d tokens read, %d written'):format(about, usage.input_tokens, usage.output_tokens)
  end
  if type(event.cost) == 'number' then
    parts[#parts + 1] = ('$%.4f'):format(event.cost)
  end
  return table.concat(parts, ' · ')
end

---What is to be known about an answer, beside its text.
---@param turn khoj_ls.Turn
---@param event table `ChatDoneEvent`
---@return { [1]: string, [2]: string }[]
local function remarks(turn, event)
  local lines = {}
  local function add(text, group)
    lines[#lines + 1] = { text, group or 'KhojDim' }
  end
  for _, notice in ipairs(event.notices or {}) do
    add(notice, 'KhojWarning')
  end
  for _, each in ipairs(turn.missing) do
    add(each, 'KhojWarning')
  end
  if turn.left_out > 0 then
    add(say.count(turn.left_out, 'private passage') .. ' found that this model is not given')
  end
  if event.reason == 'length' then
    add('the model wrote as much as it may: the answer is cut off', 'KhojWarning')
  elseif event.reason == 'filtered' then
    add('the service held a part of the answer back', 'KhojWarning')
  end
  if #(event.removed or {}) > 0 then
    add('citations of no source were taken out: ' .. table.concat(event.removed, ', '))
  end
  local doubtful = #(event.unsupported or {})
  if doubtful > 0 then
    add(doubtful == 1 and 'one statement names no source' or ('%d statements name no source'):format(doubtful))
  end
  local cost = expense(event)
  if cost ~= '' then
    add(cost)
  end
  return lines
end

---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
local function finish(turn, drawing)
  turn.running = false
  turn.cancel = function() end
  server.unwatch(turn.client, turn)
  if turn.id then
    events.leave_turn(turn.id)
  end
  drawing.ended(turn)
end

---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
---@param event table `ChatDoneEvent`, or a kept turn
function M.draw_done(turn, drawing, event)
  view.set_status(drawing.bufnr, turn.marks, '')
  citations.mark(drawing.bufnr, turn.marks, event, drawing.link)
  local listed = citations.listed(turn.sources, event.citations)
  view.add_sources(drawing.bufnr, turn.marks, listed, drawing.link)
  view.set_remarks(drawing.bufnr, turn.marks, remarks(turn, event))
end

---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
---@param message string
---@param code string
function M.draw_failed(turn, drawing, message, code)
  view.set_status(drawing.bufnr, turn.marks, '')
  local stopped = code == 'khoj.cancelled'
  local lines = { { stopped and 'stopped' or message, stopped and 'KhojDim' or 'KhojError' } }
  lines[2] = { ':KhojChatRetry asks again', 'KhojDim' }
  if turn.consent then
    lines[1] = { ('Nothing was sent: %s wants your yes'):format(turn.consent.host), 'KhojWarning' }
    lines[2] = { ':KhojChatRetry asks for it', 'KhojDim' }
  end
  view.set_remarks(drawing.bufnr, turn.marks, lines)
end

---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
---@param event table
local function draw(turn, drawing, event)
  if event.kind == 'sources' then
    turn.sources, turn.missing = event.sources, event.degraded or {}
    turn.left_out = event.left_out_private or 0
    view.set_status(drawing.bufnr, turn.marks, say.count(#event.sources, 'passage') .. ' found')
  elseif event.kind == 'status' then
    view.set_status(drawing.bufnr, turn.marks, event.message)
  elseif event.kind == 'delta' then
    view.append(drawing.bufnr, turn.marks, event.text)
    view.set_status(drawing.bufnr, turn.marks, ' ')
  elseif event.kind == 'done' then
    M.draw_done(turn, drawing, event)
  elseif event.kind == 'failed' then
    turn.consent = type(event.consent) == 'table' and event.consent or nil
    M.draw_failed(turn, drawing, event.message, event.code)
  end
end

---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
---@param event table
local function on_event(turn, drawing, event)
  if vim.api.nvim_buf_is_valid(drawing.bufnr) then
    draw(turn, drawing, event)
  end
  if event.kind == 'done' or event.kind == 'failed' then
    finish(turn, drawing)
  end
end

---Ask the user whether what a turn wants to send may be sent, and have a yes noted.
---@param turn khoj_ls.Turn
---@param client vim.lsp.Client?
---@param allowed fun() called after a yes
function M.ask_consent(turn, client, allowed)
  local consent = turn.consent --[[@as table]]
  local cost = type(consent.cost) == 'number' and (' (about $%.2g)'):format(consent.cost) or ''
  vim.ui.select({ 'No', 'Yes' }, {
    prompt = ('Send about %d tokens with passages of your notes to %s%s?'):format(consent.tokens, consent.host, cost),
  }, function(answer)
    if answer ~= 'Yes' then
      return say.info('nothing was sent')
    end
    server.request('khoj/allowHost', { host = consent.host }, { client = client }, function(failure)
      if failure then
        return say.failure(failure)
      end
      turn.consent = nil
      allowed()
    end)
  end)
end

---Ask, and draw the answer as it comes.
---@param turn khoj_ls.Turn
---@param drawing khoj_ls.Drawing
---@param params table|fun(client: vim.lsp.Client): table `ChatParams`
---@param options khoj_ls.RequestOptions
---@param started fun(result: table) gets `ChatStarted`
function M.ask(turn, drawing, params, options, started)
  turn.running, turn.sources, turn.missing, turn.left_out = true, {}, {}, 0
  view.set_status(drawing.bufnr, turn.marks, 'searching')
  local stopped = false
  local stop_request
  turn.cancel = function()
    stopped = true
  end
  stop_request = server.request('khoj/chat', params, options, function(failure, result, client)
    if failure then
      if vim.api.nvim_buf_is_valid(drawing.bufnr) then
        M.draw_failed(turn, drawing, failure.message, failure.code)
      end
      return finish(turn, drawing)
    end
    turn.id, turn.client = result.turn, client
    started(result)
    events.follow_turn(turn.id, function(event)
      on_event(turn, drawing, event)
    end)
    server.watch(client, turn, function()
      on_event(turn, drawing, { kind = 'failed', message = 'the server ended before the answer did', code = 'khoj.daemon' })
    end)
    -- The answer ends with the event `failed` after this, which draws what had arrived.
    turn.cancel = function()
      server.request('khoj/chat/cancel', { turn = turn.id }, { client = client }, function() end)
    end
    if stopped then
      turn.cancel()
    end
  end)
  return stop_request
end

return M
