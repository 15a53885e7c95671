--- Which server answers, and asking it: the one of the buffer, or one of our own that belongs to no buffer.

local M = {}

---@class khoj_ls.Failure
---@field message string what is wrong, and what to do
---@field code string the kind of error, as docs/protocol.md lists them
---@field data? table what else the server said

M.NAME = 'khoj_ls'

local MARKERS = { ['.khoj.toml'] = true, ['.git'] = true, ['.obsidian'] = true, ['logseq'] = true, ['dendron.yml'] = true }
local POLL = 20 -- milliseconds; Neovim tells by no event that a client without a buffer is ready
local PATIENCE = 30000 -- milliseconds for a server to start

---Id of the client that was asked last.
---@type integer?
local last

---What is to be done when a client ends: answers to what it was asked will not come.
---@type table<integer, table<table, fun()>>
local waiting = {}

---What the user is told when there is no program to start, at most once until there is one.
local told_missing = false

---Why the server cannot be started at all.
---@return string?
function M.missing()
  local config = vim.lsp.config[M.NAME]
  if not config or not config.cmd then
    return 'there is no configuration `khoj_ls`: put editors/nvim on the runtimepath'
  end
  local program = type(config.cmd) == 'table' and config.cmd[1]
  if program and vim.fn.executable(program) == 0 then
    return (
      'The program `%s` was not found: `pipx install khoj-ls` installs it, '
      .. "and vim.lsp.config('khoj_ls', { cmd = { '/path/to/khoj-ls' } }) names another place"
    ):format(program)
  end
end

---Whether a name of a buffer is that of a file of another machine, an archive or the like.
---@param name string
---@return boolean
function M.is_remote(name)
  return name:match('^%a[%w+.-]+://') ~= nil
end

---The vault of a file: the option `vault` where it holds the file, else the nearest folder with a marker.
---@param name string
---@return string?
local function root_of(name)
  local vault = M.vault()
  if vault and vim.fs.relpath(vault, name) then
    return vault
  end
  return vim.fs.root(name, function(entry)
    return MARKERS[entry] == true
  end)
end

---The option `vault` as a whole path.
---@return string?
function M.vault()
  local vault = require('khoj_ls.options').get().vault
  return vault and vim.fs.normalize(vim.fn.fnamemodify(vim.fn.expand(vault), ':p')) or nil
end

---For `vim.lsp.config`: says in which vault a buffer's file lies, unless nothing is to be started for it.
---@param bufnr integer
---@param on_dir fun(root: string?)
function M.root_dir(bufnr, on_dir)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if M.is_remote(name) then
    return
  end
  local why = M.missing()
  if why then
    if not told_missing then
      told_missing = true
      require('khoj_ls.say').warn(why)
    end
    return
  end
  told_missing = false
  local root = name ~= '' and root_of(vim.fs.normalize(name)) or nil
  if not require('khoj_ls.restart').has_given_up(root) then
    on_dir(root)
  end
end

---@param root string?
---@return vim.lsp.Client?
---@return string? why
local function start(root)
  local why = M.missing()
  if why then
    return nil, why
  end
  if require('khoj_ls.restart').has_given_up(root) then
    return nil, require('khoj_ls.restart').GAVE_UP
  end
  local config = vim.deepcopy(vim.lsp.config[M.NAME])
  config.name = M.NAME
  config.root_dir = root
  config.workspace_folders = root and { { uri = vim.uri_from_fname(root), name = root } } or nil
  local id = vim.lsp.start(config, { attach = false })
  local client = id and vim.lsp.get_client_by_id(id)
  if not client then
    return nil, 'the server could not be started (:checkhealth khoj_ls)'
  end
  return client
end

---The client to ask about a buffer, which may still be starting: the buffer's own; that of the vault its file lies in; that
---of the option `vault`; the one asked last; else one without a folder, which searches the vaults of the user's settings.
---@param bufnr integer
---@return vim.lsp.Client?
---@return string? why there is none
local function choose(bufnr)
  local own = vim.lsp.get_clients({ name = M.NAME, bufnr = bufnr })[1]
  if own then
    return own
  end
  if M.is_note(bufnr) then
    local root = root_of(vim.fs.normalize(vim.api.nvim_buf_get_name(bufnr)))
    if root then
      return start(root)
    end
  end
  local vault = M.vault()
  if vault then
    return start(vault)
  end
  local before = last and vim.lsp.get_client_by_id(last)
  if before and not before:is_stopped() then
    return before
  end
  local running = vim.lsp.get_clients({ name = M.NAME })
  if #running > 0 then
    return running[#running]
  end
  return start(nil)
end

---Whether a buffer shows a file of this machine of a type that the server is for.
---@param bufnr integer
---@return boolean
function M.is_note(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local config = vim.lsp.config[M.NAME]
  return vim.bo[bufnr].buftype == ''
    and name ~= ''
    and not M.is_remote(name)
    and vim.tbl_contains(config and config.filetypes or {}, vim.bo[bufnr].filetype)
end

---The server that a buffer is attached to: it knows the buffer as it stands, saved or not.
---@param bufnr integer
---@return vim.lsp.Client?
function M.attached(bufnr)
  return vim.lsp.get_clients({ name = M.NAME, bufnr = bufnr })[1]
end

---Call back once a client has said hello, or has failed to.
---@param client vim.lsp.Client
---@param ready fun(why: string?)
local function when_ready(client, ready)
  if client.initialized then
    return ready(nil)
  end
  local waited = 0
  local timer = assert(vim.uv.new_timer())
  timer:start(POLL, POLL, function()
    waited = waited + POLL
    local why = client:is_stopped() and 'the server ended while it was starting (:checkhealth khoj_ls)'
      or waited > PATIENCE and 'the server does not answer (:checkhealth khoj_ls)'
    if client.initialized or why then
      timer:stop()
      if not timer:is_closing() then
        timer:close()
        vim.schedule(function()
          ready(why or nil)
        end)
      end
    end
  end)
end

---@param err lsp.ResponseError
---@return khoj_ls.Failure
local function failure(err)
  local data = type(err.data) == 'table' and err.data or {}
  local cancelled = err.code == vim.lsp.protocol.ErrorCodes.RequestCancelled
  return { message = err.message, code = cancelled and 'khoj.cancelled' or data.code or 'khoj.error', data = data }
end

---Have `ended` called once if a client ends.
---@param client vim.lsp.Client
---@param key table names this wish for `unwatch`
---@param ended fun()
function M.watch(client, key, ended)
  waiting[client.id] = waiting[client.id] or {}
  waiting[client.id][key] = ended
end

---@param client vim.lsp.Client?
---@param key table
function M.unwatch(client, key)
  if client and waiting[client.id] then
    waiting[client.id][key] = nil
  end
end

---For `on_exit`: a client has ended.
---@param client_id integer
function M.client_ended(client_id)
  local calls = waiting[client_id] or {}
  waiting[client_id] = nil
  for _, ended in pairs(calls) do
    ended()
  end
end

---@class khoj_ls.RequestOptions
---@field bufnr? integer the buffer that it is about; the current one when absent
---@field client? vim.lsp.Client ask this one

---Ask the server. `params` may be a function of the client, where positions depend on its encoding.
---@param method string
---@param params table|fun(client: vim.lsp.Client): table
---@param options khoj_ls.RequestOptions?
---@param done fun(failure: khoj_ls.Failure?, result: any, client: vim.lsp.Client?) not called after a cancel
---@return fun() cancel stops the server's work, too
function M.request(method, params, options, done)
  options = options or {}
  local state = { cancelled = false } ---@type {cancelled: boolean, client: vim.lsp.Client?, id: integer?}
  local function finish(failed, result, client)
    M.unwatch(state.client, state)
    if not state.cancelled then
      state.id = nil
      done(failed, result, client)
    end
  end
  local function refuse(why)
    finish({ message = why, code = 'khoj.daemon' })
  end
  local bufnr = options.bufnr or vim.api.nvim_get_current_buf()
  local client, why = options.client, nil
  if not client then
    client, why = choose(bufnr)
  end
  if not client then
    vim.schedule(function()
      refuse(why or 'there is no server')
    end)
    return function()
      state.cancelled = true
    end
  end
  when_ready(client, function(not_ready)
    if state.cancelled then
      return
    end
    if not_ready then
      return refuse(not_ready)
    end
    last = client.id
    local given = type(params) == 'function' and params(client) or params
    -- Without a buffer: Neovim then sends the pending changes of all buffers before the request.
    local sent, id = client:request(method, given, function(err, result)
      if err then
        finish(failure(err), nil, client)
      else
        finish(nil, result, client)
      end
    end)
    if not sent then
      return refuse('the server has ended (:KhojRestart starts it again)')
    end
    state.client, state.id = client, id
    M.watch(client, state, function()
      refuse('the server ended before it answered')
    end)
  end)
  return function()
    state.cancelled = true
    if state.client and state.id and not state.client:is_stopped() then
      state.client:cancel_request(state.id)
    end
  end
end

---Ask, and wait for the answer for some time, as a command-line completion has to. Nothing is started for it.
---@param method string
---@param params table
---@param milliseconds integer
---@return any? result nil where there is no server, no answer in time, or an error
function M.request_now(method, params, milliseconds)
  local client = M.attached(vim.api.nvim_get_current_buf())
    or last and vim.lsp.get_client_by_id(last)
    or vim.lsp.get_clients({ name = M.NAME })[1]
  if not client or client:is_stopped() or not client.initialized then
    return nil
  end
  local answer = client:request_sync(method, params, milliseconds, vim.api.nvim_get_current_buf())
  return answer and answer.result or nil
end

return M
