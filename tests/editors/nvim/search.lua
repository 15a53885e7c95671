-- :KhojSearch, and lists to choose from.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()

local ROUTER = 'how did I fix the router'
local REPAIRED = 'homelab/evenings-without-wifi.md:35'

---@param choose fun(lines: string[], items: any[], prompt: string): integer?
---@return fun(): boolean whether it was asked
local function selecting(choose)
  local asked = false
  t.select(function(...)
    asked = true
    return choose(...)
  end)
  return function()
    return asked
  end
end

t.case('from a buffer without a file the vault of the settings is asked, and the hit is opened at its line', function()
  require('khoj_ls').setup({ vault = t.notes })
  local lines
  selecting(function(offered)
    lines = offered
    return 1
  end)
  vim.cmd.KhojSearch(ROUTER)
  t.wait(function()
    return t.place() == REPAIRED
  end, 'the hit')
  t.has(lines[1], REPAIRED .. '  Evenings without Wi-Fi › How I rep')
  t.eq(1, #vim.lsp.get_clients({ name = 'khoj_ls' }))
end)

t.case('CTRL-O comes back from a hit', function()
  vim.cmd.enew()
  t.edit('index.md')
  selecting(function()
    return 1
  end)
  vim.cmd.KhojSearch(ROUTER)
  t.wait(function()
    return t.place() == REPAIRED
  end)
  vim.api.nvim_feedkeys(vim.keycode('<C-o>'), 'x', false)
  t.eq('index.md:1', t.place())
end)

t.case('a bang fills the quickfix list', function()
  vim.cmd('KhojSearch! ' .. ROUTER)
  local list = t.wait(function()
    local found = vim.fn.getqflist({ title = 0, items = 0 })
    return found.title == ROUTER and found
  end)
  t.eq(35, list.items[1].lnum)
  t.has(list.items[1].text, 'How I repaired it')
  vim.cmd.cclose()
end)

t.case('nothing found is said', function()
  vim.cmd.KhojSearch('tag:nosuchtag zzzz')
  t.wait_told('khoj-ls: Nothing found')
end)

t.case('an error says what to do', function()
  vim.cmd.KhojSearch('dt>="the day after never" router')
  t.wait(function()
    return #t.told() > 0
  end)
end)

t.case('filters and their values are completed on the command line', function()
  t.eq(true, vim.tbl_contains(vim.fn.getcompletion('KhojSearch router ta', 'cmdline'), 'tag:'))
  t.eq(true, vim.tbl_contains(vim.fn.getcompletion('KhojSearch 韭菜 tag:homel', 'cmdline'), 'tag:homelab'))
end)

---What the windows of our own list show: text to type in, list, preview.
local SHOWN = [[(function()
  local texts = {}
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(win).relative ~= '' then
      texts[#texts + 1] = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false), '\n')
    end
  end
  return table.concat(texts, '\n----\n')
end)()]]

---@param run fun(child: table)
local function with_child(run)
  local child = t.child()
  local ok, why = xpcall(function()
    child.lua('require("khoj_ls").setup({ vault = ... })', t.notes)
    run(child)
  end, debug.traceback)
  child.close()
  assert(ok, why)
end

t.case('as you type hits follow, with a preview; <CR> opens the chosen one and leaves insert mode', function()
  with_child(function(child)
    child.input(':KhojSearch<CR>')
    child.wait('vim.bo.filetype == "khoj_ls_prompt" and vim.fn.mode() == "i"')
    child.input('how did I fix the router')
    child.wait(SHOWN .. ':find("Evenings without Wi-Fi › How I repaired it", 1, true)')
    child.wait(SHOWN .. ':find("# Evenings without Wi%-Fi")', 'the preview')
    child.input('<C-n><C-p><CR>')
    child.wait('vim.api.nvim_buf_get_name(0):match("evenings%-without%-wifi.md$") and vim.fn.line(".") == 35')
    child.wait('vim.fn.mode() == "n" and #vim.api.nvim_list_wins() == 1', 'the list is gone')
  end)
end)

t.case('<Esc> calls it off and nothing is left', function()
  with_child(function(child)
    child.input(':KhojSearch<CR>')
    child.wait('vim.fn.mode() == "i"')
    child.input('router<Esc>')
    child.wait('vim.fn.mode() == "n" and #vim.api.nvim_list_wins() == 1')
    t.eq(1, child.lua('return vim.fn.line(".")'))
  end)
end)

t.case('<Tab> offers filters and values, <C-q> takes all to the quickfix list', function()
  with_child(function(child)
    child.input(':KhojSearch<CR>')
    child.wait('vim.fn.mode() == "i"')
    child.input('韭菜 typ<Tab>')
    child.wait('vim.api.nvim_get_current_line() == "韭菜 type:"', 'the only name')
    child.input('<Tab>')
    child.wait('vim.fn.pumvisible() == 1', 'the values')
    child.input('<Tab>')
    child.wait('vim.fn.complete_info({ "selected" }).selected == 1')
    child.input('<C-e><C-w><C-w><C-w><C-w>')
    child.wait('vim.api.nvim_get_current_line() == ""')
    child.input('韭菜')
    child.wait(SHOWN .. ':find("外婆的饺子", 1, true)')
    child.input('<C-q>')
    child.wait('#vim.fn.getqflist() > 0 and vim.bo.buftype == "quickfix"')
  end)
end)

t.finish()
