--- Messages to the user: one form for all of them.

local M = {}

---@param text string
---@param level integer
local function tell(text, level)
  vim.notify('khoj_ls: ' .. text, level, { title = 'khoj_ls' })
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
