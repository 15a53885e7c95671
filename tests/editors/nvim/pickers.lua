-- The pickers of others. None of these plugins is in a registry of Debian, PyPI or npm, so what stands here in their place is
-- the least that their documentation promises and their code does, and what is tested is that our side keeps to it.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
local options = require('khoj_ls.options')

local QUERY, PLACE = 'how did I fix the router', 'homelab/evenings-without-wifi.md:35'

---Search with a picker, and wait until the hit was opened by it.
---@param name khoj_ls.PickerName
---@param live boolean
local function opens(name, live)
  options.set({ vault = t.notes, picker = name })
  vim.cmd('silent! only | enew')
  vim.cmd('KhojSearch ' .. (live and '' or QUERY))
  t.wait(function()
    return t.place() == PLACE
  end, name .. ' opens the hit')
end

---What a list promises of fixed items, and of ones that follow what is typed.
---@param name khoj_ls.PickerName
local function both(name)
  t.case(name .. ': a list that is given', function()
    opens(name, false)
  end)
  t.case(name .. ': a list that follows what is typed', function()
    opens(name, true)
    t.eq({}, t.told())
  end)
end

-- telescope: a finder is called with the prompt, adds entries until told to stop, and then completes.
local telescope = { selected = nil }
package.loaded['telescope.actions'] = { close = function() end }
package.loaded['telescope.actions.state'] = {
  get_selected_entry = function()
    return telescope.selected
  end,
}
package.loaded['telescope.actions.set'] = { select = {} }
package.loaded['telescope.actions.set'].select.replace = function(_, call)
  telescope.select = call
end
package.loaded['telescope.config'] = {
  values = {
    generic_sorter = function() end,
    grep_previewer = function() end,
  },
}
package.loaded['telescope.sorters'] = { empty = function() end }
package.loaded['telescope.finders'] = {
  new_table = function(given)
    return function(_, add, complete)
      vim.iter(given.results):map(given.entry_maker):each(add)
      complete()
    end
  end,
}
package.loaded['telescope.pickers'] = {
  new = function(_, picker)
    return {
      find = function()
        assert(picker.attach_mappings(1, function() end) == true)
        local entries = {}
        picker.finder(QUERY, function(entry)
          entries[#entries + 1] = entry
        end, function()
          telescope.selected = entries[1]
          for _, field in ipairs({ 'display', 'ordinal', 'filename', 'lnum' }) do
            assert(entries[1][field], field)
          end
          telescope.select(1, 'vertical')
          assert(#vim.api.nvim_list_wins() == 2, 'split')
        end)
      end,
    }
  end,
}
both('telescope')
for name in pairs(package.loaded) do
  if vim.startswith(name, 'telescope') then
    package.loaded[name] = nil
  end
end

-- fzf-lua: lines come by a callback that is called with nil at the end; an action gets the lines that were selected.
local function fzf_choose(lines, given)
  assert(not lines[1]:find('\n'))
  local previewer = given.previewer:new({}, {}, {})
  t.eq(35, previewer:parse_entry(lines[1]).line)
  given.actions.enter({ lines[1] }, given)
end
local Base = {}
Base.__index = Base
function Base:extend()
  local class = setmetatable({ super = self }, { __index = self })
  class.__index = class
  return class
end
function Base.new() end
package.loaded['fzf-lua.previewer.builtin'] = { buffer_or_file = Base }
package.loaded['fzf-lua'] = {
  fzf_exec = fzf_choose,
  fzf_live = function(contents, given)
    local lines = {}
    contents({ QUERY })(function(line)
      if line then
        lines[#lines + 1] = line
      else
        fzf_choose(lines, given)
      end
    end)
  end,
}
both('fzf-lua')
package.loaded['fzf-lua'] = nil

-- snacks: a finder returns a function that runs in a task, adds items, and may suspend the task until it is resumed. Tasks run
-- in callbacks of libuv, and are told there that they are called off.
local snacks = {}
_G.Snacks = {
  picker = {
    pick = function(given)
      local picker = { close = function() end }
      local function confirm(found)
        assert(#given.format(found[1], picker) > 0)
        assert(found[1].file and found[1].pos[1] == 35)
        given.confirm(picker, found[1], { cmd = 'edit' })
      end
      if given.items then
        return confirm(given.items)
      end
      local task, events = {}, {}
      local finder = given.finder(given, { filter = { search = QUERY }, async = task })
      local thread = coroutine.create(function()
        local found = {}
        finder(function(item)
          found[#found + 1] = item
        end)
        vim.schedule(function()
          confirm(found)
        end)
      end)
      local function run(step)
        local timer = assert(vim.uv.new_timer())
        timer:start(0, 0, function()
          assert(vim.in_fast_event())
          timer:close()
          step()
        end)
      end
      function task.suspend()
        coroutine.yield()
      end
      function task.resume()
        run(function()
          assert(coroutine.resume(thread))
        end)
      end
      function task.on(_, event, call)
        events[event] = call
      end
      function snacks.abort()
        run(events.abort)
      end
      task.resume()
    end,
  },
}
both('snacks')
t.case('snacks: a list that is closed calls its question off', function()
  local search = require('khoj_ls.search')
  local find, cancelled = search.find, false
  search.find = function(...)
    local cancel = find(...)
    snacks.abort()
    return function()
      cancel()
      cancelled = true
    end
  end
  options.set({ vault = t.notes, picker = 'snacks' })
  vim.cmd('KhojSearch')
  t.wait(function()
    return cancelled
  end, 'the end of the question')
  search.find = find
end)
_G.Snacks = nil

-- mini.pick: `match` gets the query as a list of characters and sets the items; `choose` gets one of them.
local function mini_choose(source, found)
  assert(found[1].text and found[1].path and found[1].lnum == 35)
  source.choose(found[1])
end
_G.MiniPick = {
  is_picker_active = function()
    return true
  end,
  get_querytick = function()
    return 7
  end,
  start = function(given)
    local source = given.source
    if not source.match then
      return mini_choose(source, source.items)
    end
    _G.MiniPick.set_picker_items = function(found, set)
      t.eq({ do_match = false, querytick = 7 }, set)
      mini_choose(source, found)
    end
    source.match({}, {}, vim.split(QUERY, ''))
  end,
}
both('mini')

t.case('the one that is there is taken; a wish for one that is not is told', function()
  t.eq({ 'mini' }, require('khoj_ls.picker').present())
  opens('auto', true)
  _G.MiniPick = nil
  t.select(function()
    return 1
  end)
  opens('snacks', false)
  t.wait_told('the picker snacks is not there')
end)

t.case('vim.ui.select and vim.ui.input serve where nothing else is wanted', function()
  vim.ui.input = function(_, done)
    done(QUERY)
  end
  opens('select', true)
end)

t.finish()
