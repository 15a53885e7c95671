--- Starts a server again that ended by itself: Neovim has no such thing of its own. Each start in a row waits longer, and
--- after some of them it is left alone until the user says so.

local say = require('khoj_ls.say')

local M = {}

M.GAVE_UP = 'the server ended again and again: :checkhealth khoj_ls may tell why, :KhojRestart starts it once more'

---@class khoj_ls.Fall
---@field tries integer starts in a row that did not hold
---@field started integer milliseconds (monotonic) of the last start
---@field given_up boolean

---By vault; '' is the client without one.
---@type table<string, khoj_ls.Fall>
local falls = {}

---@return integer
local function now()
  return math.floor(vim.uv.hrtime() / 1e6)
end

---@param root string?
---@return khoj_ls.Fall
local function fall_of(root)
  local key = root or ''
  falls[key] = falls[key] or { tries = 0, started = 0, given_up = false }
  return falls[key]
end

---@param root string?
---@return boolean
function M.has_given_up(root)
  return falls[root or ''] ~= nil and falls[root or ''].given_up
end

---@param config vim.lsp.ClientConfig
---@param buffers integer[]
local function start(config, buffers)
  local fall = fall_of(config.root_dir)
  fall.started = now()
  for _, bufnr in ipairs(buffers) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      vim.lsp.start(config, { bufnr = bufnr })
    end
  end
end

---@param config vim.lsp.ClientConfig
---@param buffers integer[]
local function start_later(config, buffers)
  local options = require('khoj_ls.options').get().restart
  local fall = fall_of(config.root_dir)
  if now() - fall.started > options.settled then
    fall.tries = 0
  end
  fall.tries = fall.tries + 1
  local pause = options.delays[fall.tries]
  if not pause then
    fall.given_up = true
    if #options.delays > 0 then
      say.error(M.GAVE_UP)
    end
    return
  end
  say.warn(('the server ended; it is started again in %g s'):format(pause / 1000))
  local enabled = vim.lsp.is_enabled(config.name)
  vim.defer_fn(function()
    if enabled and not vim.lsp.is_enabled(config.name) then
      return -- switched off meanwhile
    end
    local why = require('khoj_ls.server').missing()
    if why then
      return say.error(why)
    end
    start(config, buffers)
  end, pause)
end

---For `vim.lsp.config`: starts the server again for its buffers, unless it was told to end.
---@param code integer
---@param signal integer
---@param client_id integer
function M.on_exit(code, signal, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  -- `_is_stopping` is private, but nothing else tells a server that was stopped from one that ended with 0 by itself.
  local told = client and client._is_stopping
  if told == nil then
    told = code == 0 or signal == 15
  end
  vim.schedule(function()
    require('khoj_ls.server').client_ended(client_id)
    if told or not client or vim.v.exiting ~= vim.NIL then
      return
    end
    local buffers = vim.tbl_keys(client.attached_buffers)
    if #buffers > 0 then
      start_later(client.config, buffers)
    end
  end)
end

---Start all servers anew: those that run, and those that were given up.
function M.restart()
  falls = {}
  local clients = vim.lsp.get_clients({ name = require('khoj_ls.server').NAME })
  local again = {} ---@type {config: vim.lsp.ClientConfig, buffers: integer[], client: vim.lsp.Client}[]
  for _, client in ipairs(clients) do
    again[#again + 1] = { config = client.config, buffers = vim.tbl_keys(client.attached_buffers), client = client }
    client:stop()
  end
  local waited = 0
  local timer = assert(vim.uv.new_timer())
  timer:start(
    20,
    50,
    vim.schedule_wrap(function()
      waited = waited + 50
      local running = vim.tbl_filter(function(each)
        return vim.lsp.get_client_by_id(each.client.id) ~= nil
      end, again)
      if #running > 0 and waited < 3000 or timer:is_closing() then
        return
      end
      timer:close()
      for _, each in ipairs(running) do
        each.client:stop(true)
      end
      for _, each in ipairs(again) do
        start(each.config, each.buffers)
      end
      if vim.lsp.is_enabled(require('khoj_ls.server').NAME) then
        vim.cmd.doautoall('nvim.lsp.enable FileType') -- notes whose server was given up
      end
      say.info(#again > 0 and 'started again' or 'starts when it is next needed')
    end)
  )
end

return M
