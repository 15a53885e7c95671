--- Choosing from a list: with the picker that is installed, with vim.ui.select, or in a window of our own.

local items = require('khoj_ls.items')
local jump = require('khoj_ls.jump')
local say = require('khoj_ls.say')

local M = {}

---@class khoj_ls.Pick
---@field title string
---@field items? khoj_ls.Item[] what to choose from
---@field find? khoj_ls.Find what to choose from, by what is typed
---@field query? string what is typed already
---@field complete? fun(query: string, offset: integer, done: fun(completions: table[])) ways to go on with the query
---@field choose fun(item: khoj_ls.Item, how: khoj_ls.How)

---Calls `done` with what fits a query, and with a remark on it; returns what calls it off.
---@alias khoj_ls.Find fun(query: string, done: fun(found: khoj_ls.Item[], note: string)): fun()

---What a picker's plugin is called, and whether it is there. Those that are set up by a global count only once they are.
---@type { [1]: khoj_ls.PickerName, [2]: string, [3]: fun(): boolean }[]
local KNOWN = {
  {
    'telescope',
    'khoj_ls.picker.telescope',
    function()
      return (pcall(require, 'telescope.pickers'))
    end,
  },
  {
    'fzf-lua',
    'khoj_ls.picker.fzf_lua',
    function()
      return (pcall(require, 'fzf-lua'))
    end,
  },
  {
    'snacks',
    'khoj_ls.picker.snacks',
    function()
      return _G.Snacks ~= nil and _G.Snacks.picker ~= nil
    end,
  },
  {
    'mini',
    'khoj_ls.picker.mini',
    function()
      return _G.MiniPick ~= nil
    end,
  },
}

---Names of the pickers that are there.
---@return khoj_ls.PickerName[]
function M.present()
  local found = {}
  for _, each in ipairs(KNOWN) do
    if each[3]() then
      found[#found + 1] = each[1]
    end
  end
  return found
end

---The module that shows a list.
---@param live boolean whether it has to follow what is typed
---@return { pick: fun(spec: khoj_ls.Pick) }
local function adapter(live)
  local wanted = require('khoj_ls.options').get().picker
  for _, each in ipairs(KNOWN) do
    if wanted == each[1] or wanted == 'auto' then
      if each[3]() then
        return require(each[2])
      elseif wanted == each[1] then
        say.warn(('the picker %s is not there'):format(wanted))
      end
    end
  end
  if wanted == 'window' or (live and wanted ~= 'select') then
    return require('khoj_ls.picker.window')
  end
  return require('khoj_ls.picker.select')
end

---@class khoj_ls.PickOptions
---@field title string
---@field items? khoj_ls.Item[]
---@field find? khoj_ls.Find
---@field query? string
---@field complete? fun(query: string, offset: integer, done: fun(completions: table[]))
---@field choose? fun(item: khoj_ls.Item, how: khoj_ls.How) opens it when absent
---@field empty? string what to say when there is nothing to choose from

---Have the user choose.
---@param options khoj_ls.PickOptions
function M.pick(options)
  if options.items and #options.items == 0 and not options.find then
    say.info(options.empty or say.NO_HITS)
    return
  end
  local spec = vim.tbl_extend('keep', options, { choose = jump.item })
  adapter(options.find ~= nil).pick(spec)
end

---Show a list: in the quickfix window, or to choose from.
---@param title string
---@param found khoj_ls.Item[]
---@param quickfix boolean
---@param empty string?
function M.list(title, found, quickfix, empty)
  if quickfix and #found > 0 then
    items.to_quickfix(title, found)
  else
    M.pick({ title = title, items = found, empty = empty })
  end
end

return M
