--- Remarks on an answer, for pickers that have no place of their own for them: told once each while a list is open.

local M = {}

---@return fun(note: string)
function M.teller()
  local before = ''
  return function(note)
    if note ~= '' and note ~= before then
      before = note
      require('khoj_ls.say').info(note)
    end
  end
end

return M
