--- Choosing with the picker of snacks.nvim.

local items = require('khoj_ls.items')
local remark = require('khoj_ls.picker.remark')

local M = {}

---@type table<string, khoj_ls.How>
local HOW = { split = 'split', vsplit = 'vsplit', tab = 'tab' }

---@param item khoj_ls.Item
---@return table
local function entry(item)
  return {
    text = table.concat({ item.heading, item.path, item.text }, ' '),
    file = vim.uri_to_fname(item.uri),
    pos = { item.lnum, 0 },
    khoj = item,
  }
end

---A finder that waits for the server in snacks' own way: its task sleeps until the answer wakes it. Tasks of snacks, and what
---is told of their end, run in a callback of libuv, where most of Neovim must not be called: hence vim.schedule.
---@param find khoj_ls.Find
---@return fun(options: table, context: table): fun(add: fun(item: table))
local function live(find)
  local tell = remark.teller()
  return function(_, context)
    local query = context.filter.search
    return function(add)
      local answered, aborted, found = false, false, {}
      local cancel = function() end
      context.async:on('abort', function()
        aborted = true
        vim.schedule(function()
          cancel()
        end)
      end)
      vim.schedule(function()
        if aborted then
          return
        end
        cancel = find(query, function(hits, note)
          answered, found = true, hits
          tell(note)
          context.async:resume()
        end)
      end)
      while not answered do
        context.async:suspend()
      end
      for _, item in ipairs(found) do
        add(entry(item))
      end
    end
  end
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  local options = {
    title = spec.title,
    format = function(each)
      local item = each.khoj ---@type khoj_ls.Item
      return {
        { item.heading ~= '' and item.heading or item.path, 'KhojHeading' },
        { ('  %s:%d'):format(item.path, item.lnum), 'KhojPath' },
        { item.mark ~= '' and ' ' .. item.mark or '', 'KhojMark' },
        { item.text ~= '' and '  ' .. items.one_line(item.text) or '', 'KhojDim' },
      }
    end,
    preview = 'file',
    confirm = function(picker, each, action)
      picker:close()
      if each then
        local how = HOW[type(action) == 'table' and action.cmd or ''] or 'edit'
        vim.schedule(function()
          spec.choose(each.khoj, how)
        end)
      end
    end,
  }
  require('khoj_ls.highlights').define()
  if spec.find then
    options.live, options.supports_live, options.search = true, true, spec.query
    options.finder = live(spec.find)
    options.sort = { fields = { 'idx' } } -- the server's order
  else
    options.items = vim.tbl_map(entry, spec.items)
  end
  _G.Snacks.picker.pick(options)
end

return M
