--- Messages to the user: one form for all of them, and words that more than one place has.

local M = {}

M.NO_HITS = 'Nothing found'
M.NO_RELATED = 'Nothing like this in your notes'
M.NO_BACKLINKS = 'No note links here'
M.NO_CONVERSATIONS = 'No conversations yet'

---`1 note`, `2 notes`.
---@param number integer
---@param noun string
---@return string
function M.count(number, noun)
  return ('%d %s%s'):format(number, noun, number == 1 and '' or 's')
end

---@param text string
---@param level integer
local function tell(text, level)
  vim.notify('khoj-ls: ' .. text, level, { title = 'khoj-ls' })
end

---@param text string
function M.info(text)
  tell(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  tell(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  tell(text, vim.log.levels.ERROR)
end

---Tell what went wrong; that something was called off is no news.
---@param failure khoj_ls.Failure
function M.failure(failure)
  if failure.code ~= 'khoj.cancelled' then
    M.error(failure.message)
  end
end

return M
