--- Who answers, with which model: chosen for the conversation at hand.

local chats = require('khoj_ls.chat')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

local PATIENCE = 3000 -- milliseconds: services of this machine are asked for their models

---What there was to choose from when it was last asked: completion shows that rather than asking again.
---@type table?
local known

---@param kind 'personas'|'models'
---@param done fun(choices: table, found: table[])
local function fetch(kind, done)
  local chat = chats.current()
  local options = { client = chat and chat.client and not chat.client:is_stopped() and chat.client or nil }
  server.request('khoj/choices', vim.empty_dict(), options, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    known = result
    done(result, result[kind])
  end)
end

---@param chat khoj_ls.Chat
---@param field 'persona'|'model'
---@param name string
local function set(chat, field, name)
  chat[field] = name
  say.info(('%s: %s'):format(field, name))
  vim.cmd.redrawstatus({ bang = true })
end

---@param field 'persona'|'model'
---@param name string?
---@param describe fun(choice: table): string
local function choose(field, name, describe)
  local chat = chats.current()
  if not chat then
    return say.info('no conversation: :KhojChat begins one')
  elseif name and name ~= '' then
    return set(chat, field, name)
  end
  fetch(field .. 's' --[[@as 'personas'|'models']], function(choices, found)
    local now = chat[field] or choices[field]
    vim.ui.select(found, {
      prompt = field == 'persona' and 'Who answers' or 'Model',
      kind = 'khoj_ls',
      format_item = function(choice)
        return (choice.name == now and '* ' or '  ') .. describe(choice)
      end,
    }, function(choice)
      if choice then
        set(chat, field, choice.name)
      end
    end)
  end)
end

---Choose who answers.
---@param name string? asked for when absent
function M.persona(name)
  choose('persona', name, function(choice)
    return choice.about ~= '' and ('%s – %s'):format(choice.name, choice.about) or choice.name
  end)
end

---Choose the model.
---@param name string? asked for when absent
function M.model(name)
  choose('model', name, function(choice)
    local notes = {}
    notes[#notes + 1] = choice.remote and choice.host or 'on this machine'
    notes[#notes + 1] = choice.key == 'missing' and 'its key is missing' or nil
    notes[#notes + 1] = choice.installed == false and 'not installed' or nil
    return ('%s (%s)'):format(choice.name, table.concat(notes, ', '))
  end)
end

---What there is to choose from, as far as the server tells it soon.
---@return table `ChoicesResult` of docs/protocol.md, or empty
function M.known()
  known = known or server.request_now('khoj/choices', vim.empty_dict(), PATIENCE)
  return known or {}
end

---Names that begin with a text, for the command line.
---@param kind 'personas'|'models'
---@param lead string
---@return string[]
function M.names(kind, lead)
  local names = vim.tbl_map(function(choice)
    return choice.name
  end, M.known()[kind] or {})
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names)
end

return M
