--- :KhojMenu: all commands, with what they do and their default keys.

local M = {}

---@class khoj_ls.Entry
---@field name string
---@field about string
---@field key string behind the prefix, or empty

---The commands: those with a key in the order of the keys, then the others by name.
---@return khoj_ls.Entry[]
function M.entries()
  local commands = vim.api.nvim_get_commands({})
  local keys = {} ---@type table<string, { [1]: integer, [2]: string }>
  for place, each in ipairs(require('khoj_ls.keymaps').KEYS) do
    keys['khoj' .. each[2]] = { place, each[1] }
  end
  local entries = {} ---@type khoj_ls.Entry[]
  for name in pairs(require('khoj_ls.commands').run) do
    local key = keys[name:lower()]
    if name ~= 'KhojMenu' then
      entries[#entries + 1] = { name = name, about = commands[name].definition, key = key and key[2] or '' }
    end
  end
  table.sort(entries, function(one, other)
    local place, other_place = keys[one.name:lower()], keys[other.name:lower()]
    if place and other_place then
      return place[1] < other_place[1]
    elseif place or other_place then
      return place ~= nil
    end
    return one.name < other.name
  end)
  return entries
end

---Have the user choose a command, and run it.
---@param range { [1]: integer, [2]: integer }? lines that are selected, for commands that take some
function M.show(range)
  vim.ui.select(M.entries(), {
    prompt = 'khoj-ls',
    kind = 'khoj_ls',
    format_item = function(entry)
      return ('%-1s  %-42s :%s'):format(entry.key, entry.about, entry.name)
    end,
  }, function(entry)
    if entry then
      local takes = range and vim.api.nvim_get_commands({})[entry.name].range ~= nil
      vim.cmd({ cmd = entry.name, range = takes and range or nil })
    end
  end)
end

return M
