--- Choosing by vim.ui.select: Neovim's own list, or whatever the user has put in its place.

local items = require('khoj_ls.items')
local say = require('khoj_ls.say')

local M = {}

---@param spec khoj_ls.Pick
---@param found khoj_ls.Item[]
---@param note string
local function select(spec, found, note)
  if #found == 0 then
    say.info(note ~= '' and ('%s (%s)'):format(say.NO_HITS, note) or say.NO_HITS)
    return
  end
  vim.ui.select(found, {
    prompt = note ~= '' and ('%s (%s)'):format(spec.title, note) or spec.title,
    kind = 'khoj_ls',
    format_item = function(item)
      return items.line(item, vim.o.columns - 6) -- the numbers in front
    end,
  }, function(item)
    if item then
      spec.choose(item, 'edit')
    end
  end)
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  if not spec.find then
    return select(spec, spec.items, '')
  end
  vim.ui.input({ prompt = spec.title .. ': ', default = spec.query }, function(query)
    if query and query ~= '' then
      spec.find(query, function(found, note)
        select(spec, found, note)
      end)
    end
  end)
end

return M
