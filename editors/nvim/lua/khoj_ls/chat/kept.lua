--- The kept conversations: :KhojConversations, and what can be done with one.

local chats = require('khoj_ls.chat')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---@param params table `ConversationsParams`
---@param done fun(result: table)
local function request(params, done)
  server.request('khoj/conversations', params, {}, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    for _, message in ipairs(result.messages or {}) do
      say.warn(message)
    end
    done(result)
  end)
end

---@param id string
local function open(id)
  request({ action = 'get', conversation = id }, function(result)
    chats.open_kept(result.conversation, result.turns)
  end)
end

---Choose one of the kept conversations, and go on with it.
---@param query string? words of it, or what it was about; the last used ones when empty
function M.choose(query)
  local search = query ~= nil and query ~= ''
  request(search and { action = 'search', query = query } or { action = 'list' }, function(result)
    local found = search and result.hits or result.conversations
    if #found == 0 then
      return say.info(search and say.NO_HITS or say.NO_CONVERSATIONS)
    end
    vim.ui.select(found, {
      prompt = 'Conversations',
      kind = 'khoj_ls',
      format_item = function(each)
        if search then
          return ('%s: %s'):format(each.title, each.snippet)
        end
        return ('%s  %s, %s'):format(each.updated:sub(1, 10), each.title, say.count(each.turns, 'question'))
      end,
    }, function(each)
      if each then
        open(search and each.conversation or each.id)
      end
    end)
  end)
end

---The conversation at hand, where it has been asked something.
---@return khoj_ls.Chat?
local function at_hand()
  local chat = chats.current()
  if not chat or not chat.conversation then
    say.info('no conversation that was kept is open')
    return nil
  end
  return chat
end

---Call the conversation at hand something else.
---@param title string?
function M.rename(title)
  local chat = at_hand()
  if not chat then
    return
  end
  local function rename(name)
    if name and vim.trim(name) ~= '' then
      request({ action = 'rename', conversation = chat.conversation, title = name }, function(result)
        chat.title = result.conversation.title
        vim.cmd.redrawstatus({ bang = true })
      end)
    end
  end
  if title and title ~= '' then
    rename(title)
  else
    vim.ui.input({ prompt = 'Title: ', default = chat.title }, rename)
  end
end

---Delete the conversation at hand, after a yes.
function M.delete()
  local chat = at_hand()
  if not chat then
    return
  end
  vim.ui.select({ 'No', 'Yes' }, { prompt = ('Delete the conversation %q?'):format(chat.title) }, function(answer)
    if answer == 'Yes' then
      request({ action = 'delete', conversation = chat.conversation }, function()
        chats.close(chat)
        say.info('deleted')
      end)
    end
  end)
end

---Put the conversation at hand, as Markdown, into a buffer of its own, or into a file.
---@param file string? written there, unless there is one already
function M.export(file)
  local chat = at_hand()
  if not chat then
    return
  end
  local org = file and file:match('%.org$')
  request({ action = 'export', conversation = chat.conversation, format = org and 'org' or 'markdown' }, function(result)
    local lines = vim.split(result.text, '\n')
    if file and file ~= '' then
      local path = vim.fn.fnamemodify(vim.fn.expand(file), ':p')
      if vim.uv.fs_stat(path) then
        return say.error(path .. ' is there already')
      end
      local ok = pcall(vim.fn.writefile, lines, path)
      return ok and say.info('written to ' .. path) or say.error(path .. ' cannot be written')
    end
    vim.cmd('tabnew')
    vim.bo.filetype = 'markdown'
    vim.api.nvim_buf_set_lines(0, 0, -1, false, lines)
  end)
end

return M
