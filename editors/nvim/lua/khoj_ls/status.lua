--- The index: :KhojStatus, and what is done to it.

local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---What a vault may be doing, for people.
---@type table<string, string>
local PHASES = {
  idle = 'up to date',
  scan = 'looking for changes',
  words = 'reading notes',
  chunk = 'cutting passages',
  embed = 'embedding',
  model = 'preparing the model',
  paused = 'paused',
  ['read-only'] = 'read by another process',
  offline = 'folder not there',
}

---@param bytes integer
---@return string
local function megabytes(bytes)
  return ('%.1f MB'):format(bytes / 1e6)
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
  local counts = { say.count(vault.files, 'note'), say.count(vault.entries, 'section'), say.count(vault.chunks, 'passage') }
  add('  ' .. table.concat(counts, ', '))
  local share = math.floor(vault.coverage * 100)
  add(('  %d %% found by meaning (%s)'):format(share, vault.model), share < 100 and 'KhojWarning' or nil)
  local eta = vault.eta_seconds ~= vim.NIL and vault.eta_seconds
  local phase = vault.paused and 'paused' or PHASES[vault.phase] or vault.phase
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
  local function troubles(what, found, group)
    if #found > 0 then
      add(('  %s: %d'):format(what, #found), group)
    end
    for _, each in ipairs(found) do
      local path = vim.fs.relpath(vault.root, each.path) or each.path
      add(('    %s%s: %s'):format(path, each.line and ':' .. each.line or '', each.reason), group)
    end
  end
  troubles('Not indexed', vault.failures, 'KhojError')
  troubles('Read with warnings', vault.warnings or {}, 'KhojWarning')
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
      ('khoj-ls %s, process %d, up %s, %s, %s'):format(
        daemon.version,
        daemon.pid,
        duration(daemon.uptime_seconds),
        megabytes(daemon.rss_bytes),
        say.count(daemon.sessions or 0, 'connection')
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
      local failures = #each.failures > 0 and (', %s not (:KhojStatus)'):format(say.count(#each.failures, 'file')) or ''
      local name = vim.fn.fnamemodify(each.vault, ':~')
      say.info(('%s: %s indexed%s'):format(name, say.count(each.files, 'note'), failures))
    end
  end)
end

return M
