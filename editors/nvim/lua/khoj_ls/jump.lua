--- Opening notes at a place.

local say = require('khoj_ls.say')

local M = {}

---@alias khoj_ls.How 'edit'|'split'|'vsplit'|'tab'

local FLASH = 600 -- milliseconds that the passage stays highlighted
local space = vim.api.nvim_create_namespace('khoj_ls.jump')

---Whether an ordinary buffer may be shown in a window.
---@param win integer
---@return boolean
local function takes_notes(win)
  return vim.api.nvim_win_is_valid(win)
    and vim.api.nvim_win_get_config(win).relative == ''
    and not vim.wo[win].winfixbuf
    and not vim.b[vim.api.nvim_win_get_buf(win)].khoj_ls_view
    and not vim.tbl_contains({ 'quickfix', 'prompt', 'terminal' }, vim.bo[vim.api.nvim_win_get_buf(win)].buftype)
end

---Go to a window that can show a note: this one, the one before it, another one of the tab page, or a new one.
local function enter_window()
  local candidates = { vim.api.nvim_get_current_win(), vim.fn.win_getid(vim.fn.winnr('#')) }
  vim.list_extend(candidates, vim.api.nvim_tabpage_list_wins(0))
  for _, win in ipairs(candidates) do
    if takes_notes(win) then
      vim.api.nvim_set_current_win(win)
      return
    end
  end
  vim.cmd('topleft vnew')
end

---@param path string
---@param how khoj_ls.How
---@return boolean
local function show(path, how)
  if how == 'tab' then
    vim.cmd('tab split')
  elseif how == 'split' or how == 'vsplit' then
    vim.cmd(how)
  end
  local bufnr = vim.fn.bufadd(path)
  vim.bo[bufnr].buflisted = true
  -- A modified buffer cannot be left where 'hidden' is off.
  local ok, why = pcall(vim.cmd.buffer, bufnr)
  if not ok then
    say.error(tostring(why):gsub('^.*:(E%d+:)', '%1'))
  end
  return ok
end

---Open a file of this machine at a line; other places are told.
---@param uri string
---@param lnum integer? 1-based
---@param end_lnum integer? last line of what is meant: it is highlighted for a moment
---@param how khoj_ls.How?
---@return boolean opened
function M.open(uri, lnum, end_lnum, how)
  if not vim.startswith(uri, 'file://') then
    say.warn(uri .. ' is not a file on this machine')
    return false
  end
  local path = vim.uri_to_fname(uri)
  if not vim.uv.fs_stat(path) and vim.fn.bufexists(path) == 0 then
    say.warn(path .. ' is not there any more')
    return false
  end
  enter_window()
  vim.cmd("normal! m'") -- so that CTRL-O comes back
  if not show(path, how or 'edit') then
    return false
  end
  if lnum then
    local last = vim.api.nvim_buf_line_count(0)
    local line = math.min(math.max(lnum, 1), last)
    vim.api.nvim_win_set_cursor(0, { line, 0 })
    vim.cmd('normal! zvzz')
    if end_lnum then
      vim.hl.range(0, space, 'Visual', { line - 1, 0 }, { math.min(end_lnum, last) - 1, -1 }, {
        regtype = 'V',
        timeout = FLASH,
      })
    end
  end
  return true
end

---@param item khoj_ls.Item
---@param how khoj_ls.How?
---@return boolean opened
function M.item(item, how)
  return M.open(item.uri, item.lnum, item.end_lnum, how)
end

---For `vim.lsp.config`: window/showDocument. Neovim's own handler fails where the cursor stands on an empty line (E348), and
---in windows that keep their buffer; addresses for other programs are left to it.
---@param err lsp.ResponseError?
---@param params lsp.ShowDocumentParams
---@param context lsp.HandlerContext
---@return lsp.ShowDocumentResult
function M.show_document(err, params, context)
  if params.external or not vim.startswith(params.uri, 'file://') then
    return vim.lsp.handlers['window/showDocument'](err, params, context)
  end
  local back = vim.api.nvim_get_current_win()
  local opened = M.open(params.uri, params.selection and params.selection.start.line + 1 or nil)
  local client = vim.lsp.get_client_by_id(context.client_id)
  if opened and params.selection and client then
    local row, wanted = params.selection.start.line, params.selection.start.character
    local line = vim.api.nvim_buf_get_lines(0, row, row + 1, false)[1] or ''
    local column = vim.str_byteindex(line, client.offset_encoding, wanted, false)
    pcall(vim.api.nvim_win_set_cursor, 0, { row + 1, column })
  end
  if opened and params.takeFocus == false and vim.api.nvim_win_is_valid(back) then
    vim.api.nvim_set_current_win(back)
  end
  return { success = opened }
end

---Open what a link of the server's texts leads to: `file:///notes/a.md#L12`, or an address for the browser.
---@param address string
---@return boolean opened
function M.address(address)
  local uri, line, last = address:match('^(file://[^#]+)#L(%d+)%-?L?(%d*)$')
  if uri then
    return M.open(uri, tonumber(line), tonumber(last) or tonumber(line))
  end
  if vim.startswith(address, 'file://') then
    return M.open((address:gsub('#.*$', '')))
  end
  local _, why = vim.ui.open(address)
  if why then
    say.warn(why)
  end
  return why == nil
end

return M
