-- :KhojStatus, the statusline, :checkhealth, and notes of days and new ones.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
vim.lsp.enable('khoj_ls')

t.case('the status tells the daemon and the vault', function()
  t.attach('index.md')
  vim.cmd.KhojStatus()
  local text = t.wait(function()
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      if vim.w[win]['khoj_ls.status'] then
        local shown = t.text(vim.api.nvim_win_get_buf(win))
        vim.api.nvim_win_close(win, true)
        return shown
      end
    end
  end, 'the window')
  for _, part in ipairs({ 'khoj-ls ', 'process ', '~/notes', '100 % found by meaning', 'on disk' }) do
    t.has(text, part)
  end
end)

t.case('what is wrong with a vault is told', function()
  local lines = require('khoj_ls.status').describe({
    vaults = {
      {
        root = '/notes',
        files = 3,
        entries = 1,
        chunks = 10,
        embedded = 4,
        queue = 6,
        coverage = 0.4,
        model = 'mini',
        phase = 'embed',
        eta_seconds = 240,
        database_bytes = 1e6,
        message = 'the model is being prepared',
        paused = false,
        failures = { { path = '/notes/a.md', reason = 'is not text' } },
        warnings = { { path = '/notes/b.md', line = 3, reason = 'front matter cannot be read' } },
      },
    },
  })
  t.eq({
    'khoj-ls without a daemon',
    '',
    '/notes',
    '  3 notes, 1 section, 10 passages',
    '  40 % found by meaning (mini)',
    '  embedding, 6 waiting, 4 min left, 1.0 MB on disk',
    '  the model is being prepared',
    '  Not indexed: 1',
    '    a.md: is not text',
    '  Read with warnings: 1',
    '    b.md:3: front matter cannot be read',
  }, lines)
end)

t.case('an answer by words alone says so', function()
  local note = require('khoj_ls.items').note
  t.eq('', note({ degraded = false, coverage = 1 }))
  t.eq('40 % of the notes have their meaning yet', note({ degraded = true, coverage = 0.4 }))
  t.eq(
    'the model is loading · ruoter → router',
    note({
      degraded = true,
      coverage = 0.4,
      reason = 'the model is loading',
      respelled = { ruoter = 'router' },
    })
  )
end)

t.case('the statusline shows what is being done, and nothing afterwards', function()
  t.attach('index.md')
  local khoj = require('khoj_ls')
  t.eq('', khoj.statusline())
  local seen = {}
  vim.api.nvim_create_autocmd('LspProgress', {
    callback = function()
      seen[#seen + 1] = khoj.statusline()
    end,
  })
  vim.cmd('KhojReindex!')
  t.wait_told('notes indexed')
  t.wait(function()
    return khoj.statusline() == ''
  end, 'the end')
  assert(
    vim.iter(seen):any(function(text)
      return text ~= ''
    end),
    vim.inspect(seen)
  )
end)

t.case('checkhealth says what is there', function()
  vim.cmd.checkhealth('khoj_ls')
  local text = t.text()
  for _, part in ipairs({ 'khoj-ls', 'the daemon runs (process ', 'it is enabled', 'client ', 'they are right', 'pickers: none' }) do
    t.has(text, part)
  end
  assert(not text:find('ERROR'), text)
end)

t.case('checkhealth says what is not', function()
  local cmd = vim.lsp.config.khoj_ls.cmd
  vim.lsp.config('khoj_ls', { cmd = { 'khoj-ls-that-is-not-there' } })
  vim.g.khoj_ls = { picker = 'telscope' }
  vim.cmd.checkhealth('khoj_ls')
  local text = t.text()
  vim.g.khoj_ls = nil
  vim.lsp.config('khoj_ls', { cmd = cmd })
  t.has(text, 'The program `khoj-ls-that-is-not-there` was not found')
  t.has(text, 'picker: "telscope" is none of')
end)

t.case('indexing is stopped, and goes on', function()
  t.attach('index.md')
  local client = vim.lsp.get_clients({ name = 'khoj_ls' })[1]
  local function paused()
    return t.ask(client, 'khoj/status', vim.empty_dict()).vaults[1].paused
  end
  vim.cmd.KhojPause()
  t.wait_told('khoj-ls: indexing is paused')
  t.eq(true, paused())
  vim.cmd.KhojResume()
  t.wait_told('khoj-ls: indexing goes on')
  t.eq(false, paused())
end)

for _, case in ipairs({
  { 'index.md', 'khoj-ls: Indexed: ' },
  { '.khojignore', 'khoj-ls: Not indexed: ' },
  { 'scp://host/notes/a.md', 'is not a file on this machine' },
}) do
  t.case('why a file is or is not indexed: ' .. case[1], function()
    if case[1]:find('://', 1, true) then
      vim.cmd.enew()
      vim.api.nvim_buf_set_name(0, case[1])
    else
      t.edit(case[1])
    end
    vim.cmd.KhojWhy()
    t.wait_told(case[2])
  end)
end

t.case("a day's note is shown, made where there is none", function()
  t.attach('index.md')
  vim.cmd.KhojDaily('2024-05-03')
  t.wait(function()
    return t.place():match('^daily/2024%-05%-03%.md')
  end)
  vim.cmd.KhojDaily('previous')
  t.wait(function()
    return t.place():match('^daily/2024%-05%-01%.md')
  end)
  vim.cmd.KhojDaily('2024-05-17')
  t.wait(function()
    return t.place():match('^daily/2024%-05%-17%.md')
  end)
  t.eq(true, vim.tbl_contains(vim.fn.getcompletion('KhojDaily pre', 'cmdline'), 'previous'))
end)

t.case('a note is made of a title; selected words leave a link', function()
  t.attach('index.md')
  vim.cmd.KhojCapture('Owls at dusk 🦉')
  t.wait(function()
    return t.place():lower():find('owls', 1, true)
  end)
  t.write('mother.md', { '# A', '', 'before the words that move after' })
  local mother = t.attach('mother.md')
  vim.api.nvim_win_set_cursor(0, { 3, 7 })
  vim.cmd('normal! v18l\27')
  vim.cmd("'<,'>KhojCapture The words")
  t.wait(function()
    return t.text(mother):find('before [[', 1, true)
  end, 'the link')
  t.has(t.text(mother), ']] after')
  t.wait(function()
    return t.place():lower():find('words', 1, true)
  end, 'the new note is shown')
end)

t.case('a section moves to a note of the same format, and links to it are led on', function()
  t.write('from.md', { '# From', '', '## Sourdough starters', '', 'They hunger on holiday.', '', '## Other', '', 'Stays.' })
  t.write('into.md', { '# Into', '', 'Text.' })
  local from = t.attach('from.md')
  t.cursor_on('hunger')
  local offered
  require('khoj_ls').setup({ picker = 'select' })
  t.select(function(lines)
    offered = lines
    return vim.iter(ipairs(lines)):find(function(_, line)
      return line:find('into.md', 1, true)
    end)
  end)
  t.wait(function()
    local client = assert(vim.lsp.get_clients({ name = 'khoj_ls' })[1])
    return #t.ask(client, 'khoj/search', { query = 'file:into.md Into' }).hits > 0
  end, 'the note is found')
  vim.ui.input = function(_, done)
    done('Into')
  end
  vim.cmd.KhojRefile()
  t.wait(function()
    return not t.text(from):find('hunger', 1, true)
  end, 'it is gone here')
  assert(not vim.iter(offered):any(function(line)
    return line:find('%.org:')
  end), vim.inspect(offered))
  t.has(t.text(vim.fn.bufnr('into.md')), 'They hunger on holiday.')
  t.has(t.text(from), 'Stays.')
end)

t.case('the menu lists all other commands, and runs the one that is chosen', function()
  t.attach('index.md')
  local offered
  t.select(function(lines)
    offered = lines
    return vim.iter(ipairs(lines)):find(function(_, line)
      return line:find(':KhojWhy', 1, true)
    end)
  end)
  vim.cmd.KhojMenu()
  t.wait_told('khoj-ls: Indexed: ')
  t.has(offered[1], 's  Search the notes')
  t.eq(vim.tbl_count(require('khoj_ls.commands').run) - 1, #offered)
end)

t.finish()
