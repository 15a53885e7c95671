--- The index: :KhojStatus, and what is done to it.

local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---@param bytes integer
---@return string
local function megabytes(bytes)
  return ('%.1f MB'):format(bytes / 1024 / 1024)
end

---@param seconds number
---@return string
local function duration(seconds)
  if seconds < 90 then
    return ('%d s'):format(seconds)
  elseif seconds < 5400 then
    return ('%d min'):format(seconds / 60)
  end
  return ('%.1f h'):format(seconds / 3600)
end

---@param vault table `VaultStatus` of docs/protocol.md
---@param add fun(text: string, group: string?)
local function describe_vault(vault, add)
  add(vim.fn.fnamemodify(vault.root, ':~'), 'KhojHeading')
  add(('  %d notes, %d entries, %d passages'):format(vault.files, vault.entries, vault.chunks))
  local share = math.floor(vault.coverage * 100)
  add(('  %d %% found by meaning (%s)'):format(share, vault.model), share < 100 and 'KhojWarning' or nil)
  local eta = vault.eta_seconds ~= vim.NIL and vault.eta_seconds
  local phase = vault.paused and 'paused' or vault.phase
  local queue = vault.queue > 0 and (', %d waiting'):format(vault.queue) or ''
  add(
    ('  %s%s%s, %s on disk'):format(
      phase,
      queue,
      eta and ', ' .. duration(eta) .. ' left' or '',
      megabytes(vault.database_bytes)
    )
  )
  if vault.message ~= '' then
    add('  ' .. vault.message, 'KhojWarning')
  end
  for _, each in ipairs(vault.failures) do
    add(('  %s: %s'):format(each.path, each.reason), 'KhojError')
  end
  for _, each in ipairs(vault.warnings or {}) do
    add(('  %s:%d: %s'):format(each.path, each.line, each.reason), 'KhojWarning')
  end
end

---@param result table `StatusResult` of docs/protocol.md
---@return string[] lines
---@return { [1]: integer, [2]: string }[] 0-based lines and their groups
function M.describe(result)
  local lines, groups = {}, {}
  local function add(text, group)
    lines[#lines + 1] = (text:gsub('\n', ' '))
    if group then
      groups[#groups + 1] = { #lines - 1, group }
    end
  end
  local daemon = result.daemon
  if type(daemon) == 'table' then
    add(
      ('khoj-ls %s, process %d, up %s, %s, %d connected'):format(
        daemon.version,
        daemon.pid,
        duration(daemon.uptime_seconds),
        megabytes(daemon.rss_bytes),
        daemon.sessions or 0
      )
    )
    local worker = daemon.worker
    if type(worker) == 'table' then
      add(('model %s: %s, %s'):format(worker.model, worker.state, megabytes(worker.rss_bytes)))
      if type(worker.error) == 'string' then
        add(worker.error, 'KhojError')
      end
    end
  else
    add('khoj-ls without a daemon')
  end
  if #result.vaults == 0 then
    add('')
    add('No vault is open: open a note, or list your vaults in the settings.', 'KhojWarning')
  end
  for _, vault in ipairs(result.vaults) do
    add('')
    describe_vault(vault, add)
  end
  return lines, groups
end

---Show the daemon, the vaults and what is being indexed.
function M.show()
  require('khoj_ls.highlights').define()
  server.request('khoj/status', vim.empty_dict(), {}, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    local lines, groups = M.describe(result)
    local bufnr = vim.lsp.util.open_floating_preview(lines, '', {
      title = ' khoj_ls ',
      border = 'rounded',
      focus_id = 'khoj_ls.status',
      wrap = true,
      max_width = math.min(100, vim.o.columns - 4),
    })
    local space = vim.api.nvim_create_namespace('khoj_ls.status')
    for _, each in ipairs(groups) do
      vim.api.nvim_buf_set_extmark(bufnr, space, each[1], 0, { line_hl_group = each[2] })
    end
  end)
end

---Have indexing stopped, or gone on with; searching goes on meanwhile.
---@param pause boolean
function M.pause(pause)
  server.request(pause and 'khoj/pause' or 'khoj/resume', vim.empty_dict(), {}, function(failure)
    if failure then
      return say.failure(failure)
    end
    say.info(pause and 'indexing is paused' or 'indexing goes on')
  end)
end

---Say why the current file is or is not indexed.
function M.why()
  local bufnr = vim.api.nvim_get_current_buf()
  local name = vim.api.nvim_buf_get_name(bufnr)
  if server.is_remote(name) then
    return say.warn(name .. ' is not a file on this machine')
  elseif name == '' or vim.bo[bufnr].buftype ~= '' then
    return say.warn('this buffer has no file')
  end
  server.request('khoj/why', { path = vim.fs.normalize(name) }, { bufnr = bufnr }, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    local rule = type(result.rule) == 'string' and (' (%s)'):format(result.rule) or ''
    say.info(('%s: %s%s'):format(result.indexed and 'Indexed' or 'Not indexed', result.reason, rule))
  end)
end

---Have the index brought up to date; tells when that is done.
---@param force boolean whether unchanged notes are read again, too
function M.reindex(force)
  say.info('indexing…')
  server.request('khoj/reindex', { force = force }, {}, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    for _, each in ipairs(result) do
      local failures = #each.failures > 0 and (', %d failed (:KhojStatus)'):format(#each.failures) or ''
      local name = vim.fn.fnamemodify(each.vault, ':~')
      say.info(('%s: %d notes, %d texts embedded in %.1f s%s'):format(name, each.files, each.embedded, each.seconds, failures))
    end
  end)
end

return M
