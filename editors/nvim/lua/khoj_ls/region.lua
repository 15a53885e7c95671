--- Places and regions of buffers, in the units of a server's position encoding.

local M = {}

---@class khoj_ls.Region
---@field bufnr integer
---@field first integer[] {line, byte column}, 0-based
---@field last integer[] {line, byte column}, 0-based, behind the last byte

---@param bufnr integer
---@param row integer 0-based
---@return string
local function line_of(bufnr, row)
  return vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param at integer[] {line, byte column}, 0-based
---@return lsp.Position
function M.position(client, bufnr, at)
  local line = line_of(bufnr, at[1])
  local column = vim.str_utfindex(line, client.offset_encoding, math.min(at[2], #line), false)
  return { line = at[1], character = column }
end

---@param bufnr integer
---@return lsp.TextDocumentIdentifier
function M.document(bufnr)
  return { uri = vim.uri_from_bufnr(bufnr) }
end

---Where the cursor of a window is: {line, byte column}, 0-based.
---@param win integer
---@return integer[]
function M.caret(win)
  local row, column = unpack(vim.api.nvim_win_get_cursor(win))
  return { row - 1, column }
end

---Where the cursor of a window is, for a server.
---@param client vim.lsp.Client
---@param win integer
---@return lsp.Position
function M.cursor(client, win)
  return M.position(client, vim.api.nvim_win_get_buf(win), M.caret(win))
end

---@param client vim.lsp.Client
---@param region khoj_ls.Region
---@return lsp.Range
function M.range(client, region)
  return {
    start = M.position(client, region.bufnr, region.first),
    ['end'] = M.position(client, region.bufnr, region.last),
  }
end

---@param region khoj_ls.Region
---@return string
function M.text(region)
  local first, last = region.first, region.last
  return table.concat(vim.api.nvim_buf_get_text(region.bufnr, first[1], first[2], last[1], last[2], {}), '\n')
end

---The region that a command was given, if any. Of lines that are just those of the last selection by characters, only what
---was selected; else whole lines.
---@param command { range: integer, line1: integer, line2: integer }
---@return khoj_ls.Region?
function M.of_command(command)
  if command.range == 0 then
    return nil
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local from, to = vim.fn.getpos("'<"), vim.fn.getpos("'>")
  if command.range == 2 and vim.fn.visualmode() == 'v' and from[2] == command.line1 and to[2] == command.line2 then
    local last = line_of(bufnr, to[2] - 1)
    local column = math.min(to[3], #last)
    if vim.o.selection ~= 'exclusive' and column > 0 then
      -- The column of a mark is that of a character's first byte: the rest of the character belongs to it.
      column = column + vim.str_utf_end(last, column)
    elseif vim.o.selection == 'exclusive' then
      column = column - 1
    end
    return { bufnr = bufnr, first = { from[2] - 1, from[3] - 1 }, last = { to[2] - 1, column } }
  end
  local row = command.line2 - 1
  return { bufnr = bufnr, first = { command.line1 - 1, 0 }, last = { row, #line_of(bufnr, row) } }
end

---The paragraph around the cursor of a window.
---@param win integer
---@return string
function M.paragraph(win)
  local bufnr = vim.api.nvim_win_get_buf(win)
  local row = vim.api.nvim_win_get_cursor(win)[1]
  local first, last = row, row
  local function blank(number)
    return line_of(bufnr, number - 1):match('^%s*$') ~= nil
  end
  while first > 1 and not blank(first - 1) do
    first = first - 1
  end
  while last < vim.api.nvim_buf_line_count(bufnr) and not blank(last + 1) do
    last = last + 1
  end
  return vim.trim(table.concat(vim.api.nvim_buf_get_lines(bufnr, first - 1, last, false), '\n'))
end

return M
