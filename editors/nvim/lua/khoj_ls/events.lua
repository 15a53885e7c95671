--- Notifications of the server, handed to whoever waits for them.

local M = {}

---By turn.
---@type table<string, fun(event: table)>
local turns = {}

---@type table<table, fun(changed: table)>
local index_listeners = {}

---Get the events of a turn until its end.
---@param turn string
---@param listener fun(event: table)
function M.follow_turn(turn, listener)
  turns[turn] = listener
end

---@param turn string
function M.leave_turn(turn)
  turns[turn] = nil
end

---Get told when notes have new content in the index.
---@param key table names the listener for `leave_index`
---@param listener fun(changed: table)
function M.follow_index(key, listener)
  index_listeners[key] = listener
end

---@param key table
function M.leave_index(key)
  index_listeners[key] = nil
end

---For `vim.lsp.config`: khoj/chatEvent.
---@param event table
function M.chat(event)
  local listener = turns[event.turn]
  if listener then
    if event.kind == 'done' or event.kind == 'failed' then
      turns[event.turn] = nil
    end
    listener(event)
  end
end

---For `vim.lsp.config`: khoj/indexChanged.
---@param changed table
function M.index(changed)
  for _, listener in pairs(index_listeners) do
    listener(changed)
  end
end

return M
