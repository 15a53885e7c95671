-- A Neovim that does what it reads, with the plugin of editors/nvim, $PLUGIN, and on top of it the file that $SNIPPET names.
-- One JSON object a line comes in, and for each a line with "=> " in front goes out.
vim.opt.runtimepath:prepend(vim.env.PLUGIN)
vim.cmd.runtime('plugin/khoj_ls.lua')
dofile(vim.env.SNIPPET)
vim.cmd('filetype on')

local function client()
  return vim.lsp.get_clients({ bufnr = 0, name = 'khoj_ls' })[1]
end

local function open(note)
  local path = vim.fs.joinpath(vim.env.NOTES, note)
  if vim.api.nvim_buf_get_name(0) == path then
    return -- the cursor rests, so that what follows it may
  end
  vim.cmd.edit(vim.fn.fnameescape(path))
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

-- The window of related notes, and what it shows.
local function view()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    local buffer = vim.api.nvim_win_get_buf(window)
    if vim.bo[buffer].filetype == 'khoj_ls_related' then
      return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
    end
  end
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
  view = function(order)
    open(order.note)
    if not view() then
      vim.cmd.KhojRelated()
    end
    vim.wait(50)
    return view()
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
