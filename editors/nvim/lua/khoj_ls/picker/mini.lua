--- Choosing with mini.pick.

local items = require('khoj_ls.items')
local remark = require('khoj_ls.picker.remark')

local M = {}

---@param item khoj_ls.Item
---@return table
local function entry(item)
  return {
    text = items.line(item),
    path = vim.uri_to_fname(item.uri),
    lnum = item.lnum,
    lnum_end = item.end_lnum,
    khoj = item,
  }
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  local pick = _G.MiniPick
  local source = {
    name = spec.title,
    items = spec.items and vim.tbl_map(entry, spec.items) or {},
    choose = function(chosen)
      -- Once the picker has given its window back, split or not as its key said.
      vim.schedule(function()
        spec.choose(chosen.khoj, 'edit')
      end)
    end,
  }
  if spec.find then
    local tell = remark.teller()
    local cancel = function() end
    source.match = function(_, _, query)
      cancel()
      local tick = pick.get_querytick()
      cancel = spec.find(table.concat(query), function(found, note)
        if pick.is_picker_active() and pick.get_querytick() == tick then
          tell(note)
          pick.set_picker_items(vim.tbl_map(entry, found), { do_match = false, querytick = tick })
        end
      end)
    end
  end
  pick.start({ source = source })
end

return M
