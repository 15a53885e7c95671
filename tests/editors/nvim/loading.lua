-- Nothing happens by loading the plugin; what is set is checked; what is documented is there.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')

---@return table
local function state()
  local modules = {}
  for name in pairs(package.loaded) do
    if vim.startswith(name, 'khoj_ls') then
      modules[#modules + 1] = name
    end
  end
  local keys = {}
  for _, mode in ipairs({ 'n', 'x', 'i' }) do
    for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
      if not vim.startswith(map.lhs, '<Plug>(khoj-') then
        keys[#keys + 1] = mode .. map.lhs
      end
    end
  end
  table.sort(keys)
  return {
    modules = modules,
    clients = #vim.lsp.get_clients(),
    children = #vim.api.nvim_get_proc_children(vim.fn.getpid()),
    -- Neovim's own colouring of Markdown makes some without a group for each buffer.
    autocmds = #vim.tbl_filter(function(each)
      return each.group_name ~= nil
    end, vim.api.nvim_get_autocmds({})),
    keys = keys,
    windows = #vim.api.nvim_list_wins(),
    enabled = vim.lsp.is_enabled('khoj_ls'),
  }
end

t.case('loading starts, sends, maps and requires nothing, also when a note is opened', function()
  vim.cmd('filetype plugin on')
  local before = state()
  vim.opt.runtimepath:prepend(t.top .. '/editors/nvim')
  vim.cmd.runtime('plugin/khoj_ls.lua')
  t.edit('index.md')
  vim.cmd.bwipeout()
  t.eq(before, state())
end)

t.load()

t.case('setup without keymaps sets none; with them the documented ones', function()
  local before = state().keys
  require('khoj_ls').setup({ limit = 5 })
  t.eq(before, state().keys)
  require('khoj_ls').setup({ keymaps = ',k' })
  for _, each in ipairs(require('khoj_ls.keymaps').KEYS) do
    for _, mode in ipairs(each[3]) do
      t.eq(('<Plug>(khoj-%s)'):format(each[2]), vim.fn.maparg(',k' .. each[1], mode))
      assert(vim.fn.maparg(('<Plug>(khoj-%s)'):format(each[2]), mode) ~= '', each[2])
    end
  end
end)

for _, case in ipairs({
  { { picker = 'telscope' }, 'picker: "telscope" is none of auto, telescope' },
  { { related = { widht = 3 } }, 'related.widht: there is no such option' },
  { { limit = 'many' }, 'limit: expected number, got string' },
  { { chat = { position = 'up' } }, 'chat.position: "up" is no side' },
  { { restart = { tries = 3 } }, 'restart.tries: there is no such option' },
  { { colour = true }, 'colour: there is no such option' },
  { { restart = { delays = 3 } }, 'restart.delays: expected table, got number' },
}) do
  t.case('a wrong option is told and left out: ' .. case[2], function()
    require('khoj_ls').setup(case[1])
    t.wait_told(case[2])
    t.eq(require('khoj_ls.options').defaults.limit, require('khoj_ls.options').get().limit)
  end)
end

t.case('options may be a global table', function()
  package.loaded['khoj_ls.options'] = nil
  vim.g.khoj_ls = { limit = 3, chat = { model = 'none' } }
  local options = require('khoj_ls.options').get()
  t.eq({ 3, 'none', 72 }, { options.limit, options.chat.model, options.chat.width })
end)

t.case('help has a tag for each command, mapping and option, and every tag of it is found', function()
  vim.cmd.helptags(t.top .. '/editors/nvim/doc')
  local text = table.concat(vim.fn.readfile(t.top .. '/editors/nvim/doc/khoj_ls.txt'), '\n')
  for tag in text:gmatch('|(:?[Kk]hoj[^|]*)|') do
    assert(#vim.fn.getcompletion(tag, 'help') > 0, tag)
  end
  for name in pairs(require('khoj_ls.commands').run) do
    vim.cmd.help(':' .. name)
    t.eq('khoj_ls.txt', vim.fs.basename(vim.api.nvim_buf_get_name(0)))
  end
  for _, map in ipairs(vim.api.nvim_get_keymap('n')) do
    if vim.startswith(map.lhs, '<Plug>(khoj-') then
      t.has(text, map.lhs)
    end
  end
  for name, value in pairs(require('khoj_ls.options').defaults) do
    t.has(text, '*khoj_ls-' .. name .. '*')
    for key in pairs(type(value) == 'table' and value or {}) do
      t.has(text, key)
    end
  end
  vim.cmd('silent! helpclose')
end)

t.case('README lists each command with its default key', function()
  local readme = table.concat(vim.fn.readfile(t.top .. '/editors/nvim/README.md'), '\n')
  for name in pairs(require('khoj_ls.commands').run) do
    assert(readme:find('`:' .. name .. '[%[ `]') or readme:find('`:%[range%]' .. name .. '[%[ `]'), name)
  end
  local keys = require('khoj_ls.keymaps')
  for _, each in ipairs(keys.KEYS) do
    t.has(readme, '`' .. keys.PREFIX .. each[1] .. '`')
  end
end)

t.case('what plugin/ defines is what can be run', function()
  local defined = vim.tbl_filter(function(name)
    return vim.startswith(name, 'Khoj')
  end, vim.tbl_keys(vim.api.nvim_get_commands({})))
  local run = vim.tbl_keys(require('khoj_ls.commands').run)
  table.sort(defined)
  table.sort(run)
  t.eq(run, defined)
end)

t.finish()
