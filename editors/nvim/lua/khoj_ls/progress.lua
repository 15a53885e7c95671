--- What the servers are busy with, for a statusline: from Neovim's LspProgress events.

local M = {}

---By client and token.
---@type table<string, { title: string, message: string, percentage: integer? }>
local running = {}
local listening = false

---@param args { data: { client_id: integer, params: { token: integer|string, value: table } } }
local function on_progress(args)
  local client = vim.lsp.get_client_by_id(args.data.client_id)
  if not client or client.name ~= require('khoj_ls.server').NAME then
    return
  end
  local key = args.data.client_id .. '/' .. args.data.params.token
  local value = args.data.params.value
  if value.kind == 'end' then
    running[key] = nil
  else
    local before = running[key] or { title = '', message = '' }
    running[key] = {
      title = value.title or before.title,
      message = value.message or before.message,
      percentage = value.percentage or before.percentage,
    }
  end
  vim.cmd.redrawstatus({ bang = true })
end

---@param client_id integer
local function forget(client_id)
  for key in pairs(running) do
    if vim.startswith(key, client_id .. '/') then
      running[key] = nil
    end
  end
end

---Begin to listen. Done by the first use of the statusline; again is harmless.
function M.listen()
  if listening then
    return
  end
  listening = true
  local group = vim.api.nvim_create_augroup('khoj_ls.progress', {})
  vim.api.nvim_create_autocmd('LspProgress', { group = group, callback = on_progress })
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(args)
      local client = vim.lsp.get_client_by_id(args.data.client_id)
      if not client or client:is_stopped() then
        forget(args.data.client_id)
      end
    end,
  })
end

---What to show: the titles of what is running with their percentage; empty when all is done.
---@return string
function M.statusline()
  M.listen()
  local parts = {}
  for _, each in vim.spairs(running) do
    local percentage = each.percentage and (' %d %%'):format(each.percentage) or ''
    parts[#parts + 1] = vim.trim(each.title .. percentage .. (each.message ~= '' and ' ' .. each.message or ''))
  end
  return (table.concat(parts, ', '):gsub('%%', '%%%%'))
end

return M
