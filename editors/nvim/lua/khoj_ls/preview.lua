--- A passage shown in a buffer of ours: as the editor has the note, saved or not, without opening it.

local M = {}

local space = vim.api.nvim_create_namespace('khoj_ls.preview')
local MOST_BYTES = 2 * 1024 * 1024

---@param path string
---@return string[] lines
local function lines_of(path)
  local bufnr = vim.fn.bufnr('^' .. vim.fn.escape(path, '^$.*~[]\\{}?,') .. '$')
  if bufnr > 0 and vim.api.nvim_buf_is_loaded(bufnr) then
    return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  end
  local stat = vim.uv.fs_stat(path)
  if not stat then
    return { path .. ' is not there any more' }
  end
  if stat.size > MOST_BYTES then
    return { ('%s is too long to be previewed (%d MB)'):format(path, math.floor(stat.size / 1024 / 1024)) }
  end
  local ok, lines = pcall(vim.fn.readfile, path)
  if not ok then
    return { path .. ' cannot be read' }
  end
  return vim.tbl_map(function(line)
    return (line:gsub('[\r%z\n]', ''))
  end, lines)
end

---@param filetype string
---@return string
local function language_of(filetype)
  return vim.treesitter.language.get_lang(filetype) or filetype
end

---Colour a buffer as notes of a type are. Only colours: 'filetype' itself would start what users have set up for notes.
---@param bufnr integer
---@param filetype string
local function colour(bufnr, filetype)
  if vim.b[bufnr].khoj_ls_coloured == filetype then
    return -- the colouring follows what comes into the buffer
  end
  vim.b[bufnr].khoj_ls_coloured = filetype
  if not pcall(vim.treesitter.start, bufnr, language_of(filetype)) then
    vim.treesitter.stop(bufnr)
    vim.bo[bufnr].syntax = filetype
  end
end

---Fill a buffer with the note of an item, its passage highlighted.
---@param bufnr integer
---@param item khoj_ls.Item
function M.fill(bufnr, item)
  local path = vim.uri_to_fname(item.uri)
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines_of(path))
  vim.bo[bufnr].modifiable = false
  colour(bufnr, vim.filetype.match({ filename = path }) or '')
  vim.api.nvim_buf_clear_namespace(bufnr, space, 0, -1)
  local count = vim.api.nvim_buf_line_count(bufnr)
  for line = item.lnum, math.min(item.end_lnum, count) do
    vim.api.nvim_buf_set_extmark(bufnr, space, line - 1, 0, { line_hl_group = 'KhojPassage' })
  end
end

---Show an item's note in a window, with its passage at the top third.
---@param win integer
---@param item khoj_ls.Item
function M.show(win, item)
  local bufnr = vim.api.nvim_win_get_buf(win)
  M.fill(bufnr, item)
  local line = math.min(item.lnum, vim.api.nvim_buf_line_count(bufnr))
  local language = language_of(vim.b[bufnr].khoj_ls_coloured)
  local ok, parser = pcall(vim.treesitter.get_parser, bufnr, language, { error = false })
  if ok and parser then
    -- What is about to be seen is parsed now: the colouring parses later, and by then may be about another note.
    parser:parse({ math.max(0, line - 20), line + vim.api.nvim_win_get_height(win) })
  end
  vim.api.nvim_win_set_cursor(win, { line, 0 })
  vim.api.nvim_win_call(win, function()
    vim.cmd('normal! zt')
    local above = math.min(3, line - 1)
    if above > 0 then
      vim.cmd('normal! ' .. above .. '\25') -- CTRL-Y: lines above it, for context
    end
  end)
end

return M
