--- What the test scripts share. A script is run by `nvim --clean --headless -l SCRIPT` at a desk (tests/support/editor_desk.py):
--- the folder is that of the notes. It ends with `t.finish()`.

local M = {}

local here = vim.fs.dirname(vim.uv.fs_realpath(debug.getinfo(1, 'S').source:sub(2)))

---Top of the repository.
M.top = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(here)))
M.notes = vim.uv.cwd()

local PATIENCE = 60000 -- milliseconds that a condition may take on a busy machine

local passed, failed = 0, 0
---@type string[]
local written = {}
---@type string[]
local told = {}

---Everything the user was told, oldest first.
---@return string[]
function M.told()
  return told
end

function M.forget_told()
  told = {}
end

---Make the plugin available, as a package manager does; messages to the user are collected.
function M.load()
  vim.opt.runtimepath:prepend(M.top .. '/editors/nvim')
  vim.cmd('filetype plugin on')
  vim.cmd.runtime('plugin/khoj_ls.lua')
  vim.notify = function(text)
    told[#told + 1] = text
  end
end

---Run one case and print how it went.
---@param name string
---@param run fun()
function M.case(name, run)
  local ok, why = xpcall(run, debug.traceback)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
  end
  io.write((ok and 'ok    ' or 'FAIL  ') .. name .. (ok and '' or '\n' .. why .. '\ntold: ' .. vim.inspect(told)) .. '\n')
  told = {}
end

---Wait until a condition holds; returns what it gave.
---@generic T
---@param condition fun(): T
---@param what string?
---@return T
function M.wait(condition, what)
  local got
  local held = vim.wait(PATIENCE, function()
    got = condition()
    return got
  end, 10)
  if not held then
    error('in vain: ' .. (what or 'a condition'), 2)
  end
  return got
end

---@param expected any
---@param got any
function M.eq(expected, got)
  if not vim.deep_equal(expected, got) then
    error(('expected %s\ngot %s'):format(vim.inspect(expected), vim.inspect(got)), 2)
  end
end

---@param text string
---@param part string
function M.has(text, part)
  if not text:find(part, 1, true) then
    error(('%s\nis not in %s'):format(part, text), 2)
  end
end

---Wait until the user was told something that holds this text.
---@param part string
---@return string
function M.wait_told(part)
  return M.wait(function()
    return vim.iter(told):find(function(text)
      return text:find(part, 1, true)
    end)
  end, 'the user is told: ' .. part)
end

---Edit a note of the desk.
---@param path string
---@return integer bufnr
function M.edit(path)
  vim.cmd.edit(vim.fn.fnameescape(M.notes .. '/' .. path))
  return vim.api.nvim_get_current_buf()
end

---Edit a note and wait until the server has it.
---@param path string
---@return integer bufnr
---@return vim.lsp.Client
function M.attach(path)
  local bufnr = M.edit(path)
  local client = M.wait(function()
    return vim.lsp.get_clients({ name = 'khoj_ls', bufnr = bufnr })[1]
  end, 'the server is attached')
  return bufnr, client
end

---Write a note of a case's own; it goes when the script ends.
---@param path string
---@param lines string[]
function M.write(path, lines)
  vim.fn.writefile(lines, M.notes .. '/' .. path)
  written[#written + 1] = M.notes .. '/' .. path
end

---Put the cursor on the first character of a text in the current buffer.
---@param text string
function M.cursor_on(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      vim.api.nvim_win_set_cursor(0, { number, column - 1 })
      return
    end
  end
  error(text .. ' is not in the buffer', 2)
end

---Where the cursor is: path in the notes, line.
---@return string
function M.place()
  local path = vim.fs.relpath(M.notes, vim.api.nvim_buf_get_name(0)) or vim.api.nvim_buf_get_name(0)
  return ('%s:%d'):format(path, vim.api.nvim_win_get_cursor(0)[1])
end

---@param bufnr integer?
---@return string
function M.text(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr or 0, 0, -1, false), '\n')
end

---Answer vim.ui.select: what is offered goes to `choose`, which returns the index to take, or nothing to cancel.
---@param choose fun(lines: string[], items: any[], prompt: string): integer?
function M.select(choose)
  vim.ui.select = function(items, options, done)
    local lines = vim.tbl_map(options.format_item or tostring, items)
    local index = choose(lines, items, options.prompt or '')
    done(index and items[index] or nil, index)
  end
end

---Ask the server and wait for the answer.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@return any
function M.ask(client, method, params)
  local answer = client:request_sync(method, params, PATIENCE, vim.api.nvim_get_current_buf())
  assert(answer and not answer.err, vim.inspect(answer))
  return answer.result
end

---A second Neovim, driven by keys as a user does.
---@param arguments string[]?
---@return { input: fun(keys: string), lua: fun(code: string, ...): any, close: fun(), wait: fun(code: string, what: string?): any }
function M.child(arguments)
  local command = { vim.v.progpath, '--clean', '--embed', '--headless', '--cmd', 'set rtp^=' .. M.top .. '/editors/nvim' }
  local job = vim.fn.jobstart(vim.list_extend(command, arguments or {}), { rpc = true, cwd = M.notes })
  assert(job > 0, 'no second Neovim')
  local child = {}
  function child.lua(code, ...)
    return vim.rpcrequest(job, 'nvim_exec_lua', code, { ... })
  end
  function child.input(keys)
    vim.rpcrequest(job, 'nvim_input', keys)
  end
  function child.wait(code, what)
    return M.wait(function()
      local got = child.lua('return ' .. code)
      return got ~= vim.NIL and got
    end, what or code)
  end
  function child.close()
    vim.fn.jobstop(job)
    vim.fn.jobwait({ job }, 3000)
  end
  child.lua('vim.o.columns, vim.o.lines = 120, 40')
  return child
end

---Tell how many cases passed, stop the servers, and end.
function M.finish()
  vim.iter(written):each(vim.fn.delete)
  for _, client in ipairs(vim.lsp.get_clients()) do
    client:stop()
  end
  vim.wait(3000, function()
    return #vim.lsp.get_clients() == 0
  end, 10)
  io.write(('%d passed, %d failed\n'):format(passed, failed))
  os.exit(failed == 0 and passed > 0 and 0 or 1)
end

return M
