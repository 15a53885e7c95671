--- Choosing with telescope.nvim.

local items = require('khoj_ls.items')
local remark = require('khoj_ls.picker.remark')

local M = {}

---@type table<string, khoj_ls.How> how telescope names the ways to open
local HOW = { default = 'edit', horizontal = 'split', vertical = 'vsplit', tab = 'tab' }

---@param item khoj_ls.Item
---@return table entry
local function entry(item)
  return {
    value = item,
    display = items.line(item),
    ordinal = table.concat({ item.heading, item.path, item.text }, ' '),
    filename = vim.uri_to_fname(item.uri),
    lnum = item.lnum,
    lnend = item.end_lnum,
    col = 1,
    text = item.text,
  }
end

---A finder as telescope calls it: for each change of what is typed, with functions for an entry and for the end.
---@param find khoj_ls.Find
---@return table
local function live(find)
  local tell = remark.teller()
  local cancel = function() end
  return setmetatable({
    close = function()
      cancel()
    end,
  }, {
    __call = function(_, query, add, complete)
      cancel()
      cancel = find(query or '', function(found, note)
        tell(note)
        for _, item in ipairs(found) do
          if add(entry(item)) then
            return -- the list is about something else by now
          end
        end
        complete()
      end)
    end,
  })
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  local actions, state = require('telescope.actions'), require('telescope.actions.state')
  local config = require('telescope.config').values
  local finder = spec.find and live(spec.find)
    or require('telescope.finders').new_table({ results = spec.items, entry_maker = entry })
  require('telescope.pickers')
    .new({}, {
      prompt_title = spec.title,
      default_text = spec.query,
      finder = finder,
      -- The server's order is the right one while it follows what is typed.
      sorter = spec.find and require('telescope.sorters').empty() or config.generic_sorter({}),
      previewer = config.grep_previewer({}),
      attach_mappings = function()
        require('telescope.actions.set').select:replace(function(bufnr, kind)
          local chosen = state.get_selected_entry()
          actions.close(bufnr)
          if chosen then
            spec.choose(chosen.value, HOW[kind] or 'edit')
          end
        end)
        return true
      end,
    })
    :find()
end

return M
