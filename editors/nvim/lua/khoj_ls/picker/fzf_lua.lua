--- Choosing with fzf-lua. Its lines are texts: each begins with the number of its item, which is not shown.

local items = require('khoj_ls.items')
local remark = require('khoj_ls.picker.remark')

local M = {}

---@param index integer
---@param item khoj_ls.Item
---@return string
local function line(index, item)
  return index .. '\t' .. items.line(item)
end

---@param all khoj_ls.Item[]
---@param text string?
---@return khoj_ls.Item?
local function item_of(all, text)
  return all[tonumber(text and text:match('^(%d+)\t'))]
end

---@param shown fun(): khoj_ls.Item[]
---@return table class of previewers
local function previewer(shown)
  local class = require('fzf-lua.previewer.builtin').buffer_or_file:extend()
  function class:new(...)
    class.super.new(self, ...)
    setmetatable(self, class)
    return self
  end
  function class.parse_entry(_, text)
    local item = item_of(shown(), text)
    return item and { path = vim.uri_to_fname(item.uri), line = item.lnum, col = 1 } or {}
  end
  return class
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  local fzf = require('fzf-lua')
  local found = spec.items or {}
  local function shown()
    return found
  end
  local function open(how)
    return function(selected)
      local item = item_of(found, selected[1])
      if item then
        spec.choose(item, how)
      end
    end
  end
  local options = {
    prompt = spec.title .. '> ',
    query = spec.query,
    previewer = previewer(shown),
    fzf_opts = { ['--delimiter'] = '\t', ['--with-nth'] = '2..', ['--no-multi'] = true },
    actions = {
      ['enter'] = open('edit'),
      ['ctrl-s'] = open('split'),
      ['ctrl-v'] = open('vsplit'),
      ['ctrl-t'] = open('tab'),
      ['ctrl-q'] = function()
        items.to_quickfix(spec.title, found)
      end,
    },
  }
  if not spec.find then
    local lines = {}
    for index, item in ipairs(found) do
      lines[index] = line(index, item)
    end
    fzf.fzf_exec(lines, options)
    return
  end
  options.exec_empty_query = true
  local tell = remark.teller()
  local cancel = function() end
  fzf.fzf_live(function(arguments)
    -- Older versions hand over the query itself, newer ones a list with it.
    local query = type(arguments) == 'table' and arguments[1] or arguments
    return function(add)
      cancel()
      cancel = spec.find(query or '', function(hits, note)
        found = hits
        tell(note)
        for index, item in ipairs(hits) do
          add(line(index, item))
        end
        add(nil)
      end)
    end
  end, options)
end

return M
