-- A Neovim that does what it reads: set up by the file that $SNIPPET names. One JSON object a line comes in and one goes out, behind "=> ".
dofile(vim.env.SNIPPET)
vim.cmd('filetype on')

local function client()
  return vim.lsp.get_clients({ bufnr = 0, name = 'khoj_ls' })[1]
end

local function open(note)
  vim.cmd.edit(vim.fn.fnameescape(vim.fs.joinpath(vim.env.NOTES, note)))
  assert(vim.wait(30000, function()
    return client() ~= nil and client().initialized
  end, 5), 'never connected')
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
end

local function ask(method, params)
  local answer = assert(client():request_sync(method, params, 30000, 0))
  assert(not answer.err, vim.inspect(answer.err))
  return answer.result
end

local function here()
  return vim.lsp.util.make_position_params(0, client().offset_encoding)
end

local function names(result)
  return vim.tbl_map(function(hit)
    return vim.fs.basename(vim.uri_to_fname(hit.uri))
  end, result.hits)
end

local orders = {
  open = function(order)
    open(order.note)
    return ask('textDocument/hover', here()).contents.value
  end,
  save = function(order)
    open(order.note)
    vim.api.nvim_buf_set_lines(0, -1, -1, false, vim.split(order.text, '\n'))
    vim.cmd.write({ mods = { silent = true } })
    return vim.bo.modified or vim.NIL
  end,
  related = function(order)
    open(order.note)
    return names(ask('khoj/related', here()))
  end,
  search = function(order)
    return names(ask('khoj/search', { query = order.query }))
  end,
}

for line in io.lines() do
  local order = vim.json.decode(line)
  local _, done = pcall(orders[order['do']], order)
  io.write('=> ', vim.json.encode({ done }), '\n')
  io.flush()
end
for _, each in ipairs(vim.lsp.get_clients()) do
  each:stop()
end
vim.wait(3000, function()
  return #vim.lsp.get_clients() == 0
end, 5)
