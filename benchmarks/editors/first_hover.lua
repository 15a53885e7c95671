-- Shows $NOTE and, where $UNTIL is `hover`, waits for the hover at $LINE; then says `ready`. $SETUP is a file to load, or a plugin's folder.
local hover = vim.env.UNTIL == 'hover'
if hover then
  if vim.fn.isdirectory(vim.env.SETUP) == 1 then
    vim.opt.runtimepath:prepend(vim.env.SETUP)
    vim.cmd.runtime('plugin/khoj_ls.lua')
    vim.lsp.enable('khoj_ls')
  else
    dofile(vim.env.SETUP)
  end
end
vim.cmd('filetype on')
vim.cmd.edit(vim.fn.fnameescape(vim.env.NOTE))
vim.api.nvim_win_set_cursor(0, { tonumber(vim.env.LINE), 2 })
if hover then
  local function client()
    return vim.lsp.get_clients({ bufnr = 0, name = 'khoj_ls' })[1]
  end
  assert(vim.wait(30000, function()
    return client() ~= nil and client().initialized
  end, 1), 'never connected')
  local here = vim.lsp.util.make_position_params(0, client().offset_encoding)
  local answer = assert(client():request_sync('textDocument/hover', here, 30000, 0))
  assert(answer.result and answer.result.contents.value ~= '', vim.inspect(answer))
end
io.write('ready\n')
io.flush()
os.exit(0)
