-- Servers that end, that do not start, or that are not there.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
local restart = require('khoj_ls.restart')
require('khoj_ls').setup({ restart = { delays = { 20, 20, 20 }, settled = 0 } })
vim.lsp.enable('khoj_ls')

---@param client vim.lsp.Client
---@param signal string
local function kill(client, signal)
  -- The transport has the process; nothing public does.
  vim.uv.kill(client.rpc and vim.iter(vim.api.nvim_get_proc_children(vim.fn.getpid())):last(), signal)
end

t.case('a server that was killed is started again for its notes, and answers', function()
  local bufnr, client = t.attach('homelab/network.md')
  kill(client, 'sigkill')
  t.wait_told('the server ended; it is started again in 0.02 s')
  local again = t.wait(function()
    local found = vim.lsp.get_clients({ name = 'khoj_ls', bufnr = bufnr })[1]
    return found and found.id ~= client.id and found
  end, 'another client')
  assert(#t.ask(again, 'khoj/search', { query = 'router' }).hits > 0)
end)

t.case('what was asked of a server that ended is told to have failed', function()
  local _, client = t.attach('homelab/network.md')
  local failure
  -- A request that waits for long: it is under way when the server is killed.
  require('khoj_ls.server').request(
    'khoj/chat',
    { message = 'what did I slowly change at the router?' },
    { client = client },
    function() end
  )
  require('khoj_ls.server').request('khoj/ask', { message = 'and what slowly?' }, { client = client }, function(failed)
    failure = failed
  end)
  vim.wait(300)
  kill(client, 'sigkill')
  t.wait(function()
    return failure
  end)
  t.eq('the server ended before it answered', failure.message)
  t.wait(function()
    return #vim.lsp.get_clients({ name = 'khoj_ls' }) > 0
  end)
end)

t.case('a server that is stopped stays so', function()
  local bufnr, client = t.attach('homelab/network.md')
  client:stop(true)
  t.wait(function()
    return #vim.lsp.get_clients({ name = 'khoj_ls' }) == 0
  end)
  vim.wait(200)
  t.eq({}, vim.lsp.get_clients({ bufnr = bufnr }))
  t.eq({}, t.told())
end)

t.case(
  'one that ends again and again is started later each time, then given up with one message, until the user says so',
  function()
    local bad = vim.fn.tempname()
    vim.fn.writefile({ '#!/bin/sh', 'exit 7' }, bad)
    vim.fn.setfperm(bad, 'rwxr-xr-x')
    local good = vim.lsp.config.khoj_ls.cmd
    require('khoj_ls').setup({ restart = { delays = { 20, 40 }, settled = 60000 } })
    vim.lsp.config('khoj_ls', { cmd = { bad } })
    t.edit('index.md')
    t.wait_told(restart.GAVE_UP)
    local count = #vim.tbl_filter(function(text)
      return text:find(restart.GAVE_UP, 1, true) ~= nil
    end, t.told())
    t.eq(1, count)
    t.has(t.told()[1], 'it is started again in 0.04 s') -- the second in a row
    t.forget_told()
    t.edit('projects.org')
    vim.cmd.KhojSearch('router')
    t.wait_told(restart.GAVE_UP)
    t.eq(1, #t.told())
    vim.lsp.config('khoj_ls', { cmd = good })
    vim.cmd.KhojRestart()
    t.wait(function()
      return #vim.lsp.get_clients({ name = 'khoj_ls', bufnr = vim.fn.bufnr('index.md') }) == 1
    end, 'started again')
  end
)

t.case('a missing server is told by what needs it, and opening notes makes no noise', function()
  for _, client in ipairs(vim.lsp.get_clients()) do
    client:stop(true)
  end
  t.wait(function()
    return #vim.lsp.get_clients() == 0
  end)
  t.forget_told()
  vim.lsp.config('khoj_ls', { cmd = { 'khoj-ls-that-is-not-there' } })
  for _, name in ipairs({ 'index.md', 'balkon.org', 'bike.org' }) do
    t.edit(name)
  end
  assert(#t.told() <= 1, vim.inspect(t.told()))
  t.forget_told()
  for _, command in ipairs({ 'KhojSearch router', 'KhojStatus', 'KhojDaily', 'KhojConversations' }) do
    t.forget_told()
    vim.cmd(command)
    t.wait_told('khoj-ls: The program `khoj-ls-that-is-not-there` was not found: `pipx install khoj-ls` installs it')
    t.eq(1, #t.told())
  end
end)

t.finish()
