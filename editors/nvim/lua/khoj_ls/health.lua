--- :checkhealth khoj_ls

local M = {}

local PATIENCE = 15000 -- milliseconds for a program to answer

---@param command string[]
---@return vim.SystemCompleted
local function run(command)
  local ok, done = pcall(function()
    return vim.system(command, { text = true }):wait(PATIENCE)
  end)
  return ok and done or { code = -1, signal = 0, stdout = '', stderr = tostring(done) }
end

local function check_neovim()
  vim.health.start('khoj_ls: Neovim')
  if vim.fn.has('nvim-0.11') == 1 then
    vim.health.ok(('Neovim %s'):format(tostring(vim.version())))
  else
    vim.health.error('Neovim 0.11 or later is needed')
  end
  for _, language in ipairs({ 'markdown', 'markdown_inline' }) do
    if not pcall(vim.treesitter.language.inspect, language) then
      vim.health.warn(('no parser for %s: previews and chats have fewer colours'):format(language))
    end
  end
end

---@param program string
local function check_daemon(program)
  local done = run({ program, 'daemon', 'status', '--json' })
  local ok, status = pcall(vim.json.decode, done.stdout or '')
  if done.code == 1 then
    vim.health.info('no daemon runs; the first question starts it')
  elseif done.code == 0 and ok and type(status.daemon) == 'table' then
    vim.health.ok(('the daemon runs (process %d)'):format(status.daemon.pid))
  else
    vim.health.error('`khoj-ls daemon status` fails: ' .. vim.trim((done.stderr or '') .. (done.stdout or '')))
  end
end

local function check_program()
  vim.health.start('khoj_ls: server')
  local config = vim.lsp.config[require('khoj_ls.server').NAME]
  local why = require('khoj_ls.server').missing()
  if why then
    vim.health.error(why)
    return
  end
  local command = config.cmd
  if type(command) ~= 'table' then
    vim.health.info('`cmd` is a function of yours: the program is not checked')
    return
  end
  local version = run({ command[1], '--version' })
  if version.code == 0 then
    vim.health.ok(('%s: %s'):format(vim.fn.exepath(command[1]), vim.trim(version.stdout)))
    check_daemon(command[1])
  else
    vim.health.error(('`%s --version` fails: %s'):format(command[1], vim.trim(version.stderr or '')))
  end
end

local function check_clients()
  vim.health.start('khoj_ls: notes')
  local name = require('khoj_ls.server').NAME
  if vim.lsp.is_enabled(name) then
    vim.health.ok("it is enabled: notes are attached when they are opened (vim.lsp.enable('khoj_ls'))")
  else
    vim.health.warn("it is not enabled: links, hover and completion want vim.lsp.enable('khoj_ls') in your configuration")
  end
  local clients = vim.lsp.get_clients({ name = name })
  for _, client in ipairs(clients) do
    local buffers = require('khoj_ls.say').count(vim.tbl_count(client.attached_buffers), 'buffer')
    local folder = client.root_dir or 'no folder: the vaults of your settings are searched'
    vim.health.ok(('client %d: %s, %s, %s'):format(client.id, folder, buffers, client.offset_encoding))
  end
  if #clients == 0 then
    vim.health.info('no server runs; the first note or command starts it')
  end
  local vault = require('khoj_ls.server').vault()
  if vault and not vim.uv.fs_stat(vault) then
    vim.health.error(('the option `vault` names %s, which is not there'):format(vault))
  elseif vault then
    vim.health.ok('from other buffers the vault ' .. vault .. ' is asked')
  end
end

local function check_options()
  vim.health.start('khoj_ls: options')
  local options = require('khoj_ls.options').get()
  local wrong = require('khoj_ls.options').problems(options)
  for _, each in ipairs(wrong) do
    vim.health.error(each)
  end
  if #wrong == 0 then
    vim.health.ok('they are right')
  end
  local present = require('khoj_ls.picker').present()
  local found = #present > 0 and table.concat(present, ', ') or 'none: vim.ui.select and a window of our own are used'
  vim.health.info(('pickers: %s (option `picker`: %s)'):format(found, options.picker))
end

function M.check()
  check_neovim()
  check_program()
  check_clients()
  check_options()
end

return M
