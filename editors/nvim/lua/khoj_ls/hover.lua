--- Links in hover windows: `file:///notes/a.md#L12` is opened at its line by gf, gx or <CR> there.

local M = {}

local HOVER = 'textDocument/hover' -- how Neovim marks its hover windows
local listening = false

---The address of the link that a column is in: a Markdown link, or a bare address.
---@param line string
---@param column integer 1-based byte
---@return string?
function M.link_at(line, column)
  local patterns = { '%[[^%]]*%]%(<?([^%s)>]+)>?[^)]*%)', '(%a[%w+.-]*://[^%s)>%]]+)' }
  for _, pattern in ipairs(patterns) do
    local from = 1
    while true do
      local first, last, address = line:find(pattern, from)
      if not first then
        break
      end
      if column >= first and column <= last and address:find('^%a[%w+.-]*:') then
        return address
      end
      from = last + 1
    end
  end
end

---Open the link at the cursor of a hover window, and close the window.
---@return boolean whether there was a link
function M.follow()
  local address = M.link_at(vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2] + 1)
  if not address then
    return false
  end
  local win = vim.api.nvim_get_current_win()
  if vim.api.nvim_win_get_config(win).relative ~= '' then
    vim.api.nvim_win_close(win, true)
  end
  require('khoj_ls.jump').address(address)
  return true
end

local function on_enter()
  if not vim.w[HOVER] then
    return
  end
  local bufnr = vim.api.nvim_get_current_buf()
  if not table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n'):find('file://', 1, true) then
    return
  end
  for _, key in ipairs({ '<CR>', 'gf', 'gx' }) do
    vim.keymap.set('n', key, function()
      if not M.follow() then
        require('khoj_ls.say').info('no link here')
      end
    end, { buffer = bufnr, nowait = true, desc = 'khoj_ls: follow the link' })
  end
end

---Neovim hides the addresses of links, but breaks lines as if they were seen: let it do so between words.
local function on_new_window()
  vim.schedule(function()
    for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      if vim.w[win][HOVER] then
        vim.wo[win].linebreak, vim.wo[win].breakindent = true, true
      end
    end
  end)
end

---For `vim.lsp.config`: from the first note on, links in hover windows can be followed.
function M.on_attach()
  require('khoj_ls.progress').listen()
  if listening then
    return
  end
  listening = true
  local group = vim.api.nvim_create_augroup('khoj_ls.hover', {})
  vim.api.nvim_create_autocmd('WinEnter', { group = group, callback = on_enter })
  vim.api.nvim_create_autocmd('WinNew', { group = group, callback = on_new_window })
end

return M
