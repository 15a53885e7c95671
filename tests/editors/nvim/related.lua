-- :KhojRelated

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
vim.lsp.enable('khoj_ls')
require('khoj_ls').setup({ vault = t.notes, picker = 'select', related = { delay = 10 } })

---@return integer? win
local function side()
  return vim.iter(vim.api.nvim_tabpage_list_wins(0)):find(function(win)
    return vim.bo[vim.api.nvim_win_get_buf(win)].filetype == 'khoj_ls_related'
  end)
end

---@param text string
local function wait_side(text)
  t.wait(function()
    local win = side()
    return win and t.text(vim.api.nvim_win_get_buf(win)):find(text, 1, true)
  end, 'the side window shows ' .. text)
end

---@param key string
local function press(key)
  vim.api.nvim_feedkeys(vim.keycode(key), 'x', false)
end

---The cursor moves; a script has no main loop that would tell.
local function moved()
  vim.api.nvim_exec_autocmds('CursorMoved', {})
end

t.case('the side window shows notes like the place, and follows the cursor into another note', function()
  t.attach('homelab/evenings-without-wifi.md')
  vim.cmd.KhojRelated()
  wait_side('homelab/network.md')
  t.eq('homelab/evenings-without-wifi.md:1', t.place())
  t.attach('kitchen/sourdough.md')
  moved()
  wait_side('starter-on-holiday')
end)

t.case('it follows into a buffer without a file, and tells when nothing is written there', function()
  vim.cmd.enew()
  moved()
  wait_side('Nothing is written here.')
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'the access point drops the 5 GHz radio on channel 100' })
  moved()
  wait_side('evenings-without-wifi')
  vim.bo.modified = false
end)

t.case('<CR> opens a note beside, i links to it', function()
  t.write('router.md', { '# Router', '', 'Radio channel of the access point: ' })
  t.attach('router.md')
  vim.api.nvim_win_set_cursor(0, { 3, 34 })
  local source = vim.api.nvim_get_current_win()
  moved()
  wait_side('evenings-without-wifi')
  vim.api.nvim_set_current_win(assert(side()))
  t.cursor_on('evenings-without-wifi')
  press('i')
  t.wait(function()
    return t.text(vim.fn.bufnr('router.md')):find('[[evenings-without-wifi', 1, true)
  end, 'the link')
  wait_side('evenings-without-wifi') -- the note is another one now, and asked about again
  vim.api.nvim_set_current_win(assert(side()))
  t.cursor_on('evenings-without-wifi')
  press('<CR>')
  t.eq(source, vim.api.nvim_get_current_win())
  t.eq('homelab/evenings-without-wifi.md', t.place():match('^[^:]+'))
end)

t.case('what another program saves shows', function()
  t.attach('index.md')
  moved()
  wait_side('›')
  local first = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  t.write('twin-of-index.md', first)
  wait_side('twin-of-index.md')
  vim.fn.delete(t.notes .. '/twin-of-index.md')
end)

t.case('q closes it, and nothing of it is left', function()
  local bufnr = vim.api.nvim_win_get_buf(assert(side()))
  vim.api.nvim_set_current_win(assert(side()))
  press('q')
  t.eq(nil, side())
  t.eq(false, vim.api.nvim_buf_is_valid(bufnr))
  t.eq(false, (pcall(vim.api.nvim_get_autocmds, { group = 'khoj_ls.related.' .. bufnr })))
end)

t.case('what is hardly like the place is not shown', function()
  local items = require('khoj_ls.items')
  local range = { start = { line = 0, character = 0 }, ['end'] = { line = 1, character = 0 } }
  local function hit(title, score)
    return { uri = 'file:///n.md', range = range, title = title, outline = {}, snippet = '', highlights = {}, score = score }
  end
  local shown = items.of_related({ hits = { hit('like it', 0.1), hit('hardly', 0.09) } })
  t.eq(
    { 'like it' },
    vim.tbl_map(function(item)
      return item.heading
    end, shown)
  )
end)

t.case('notes like a selection are offered', function()
  t.attach('homelab/evenings-without-wifi.md')
  local offered
  t.select(function(lines)
    offered = lines
  end)
  vim.cmd('35,40KhojRelated')
  t.wait(function()
    return offered
  end)
  t.has(table.concat(offered, '\n'), 'network.md')
end)

t.finish()
