--- The default keys. None is set unless the option `keymaps` says so.

local M = {}

M.PREFIX = '<Leader>n'

---@type { [1]: string, [2]: string, [3]: string[] }[] key behind the prefix, mapping, modes
M.KEYS = {
  { 's', 'search', { 'n' } },
  { 'r', 'related', { 'n', 'x' } },
  { 'b', 'backlinks', { 'n' } },
  { 'l', 'link', { 'n', 'x' } },
  { 'c', 'chat', { 'n', 'x' } },
  { 'a', 'ask', { 'n', 'x' } },
  { 'h', 'conversations', { 'n' } },
  { 'd', 'daily', { 'n' } },
  { 'n', 'capture', { 'n', 'x' } },
  { 'i', 'status', { 'n' } },
  { '?', 'menu', { 'n', 'x' } },
}

---Set the default keys below a prefix.
---@param prefix string
function M.set(prefix)
  for _, each in ipairs(M.KEYS) do
    local mapping = ('<Plug>(khoj-%s)'):format(each[2])
    vim.keymap.set(each[3], prefix .. each[1], mapping, { desc = 'khoj_ls: ' .. each[2] })
  end
end

return M
