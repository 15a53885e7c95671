--- :KhojRelated: a side window with notes like the place where the cursor is, one for each tab page.

local items = require('khoj_ls.items')
local jump = require('khoj_ls.jump')
local picker = require('khoj_ls.picker')
local region = require('khoj_ls.region')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

local space = vim.api.nvim_create_namespace('khoj_ls.related')

local EXCERPT = 2 -- lines of the window that an excerpt may fill

---@class khoj_ls.Related
---@field bufnr integer
---@field win integer
---@field source integer? window that it is about
---@field found khoj_ls.Item[]
---@field rows table<integer, khoj_ls.Item> by 1-based line of the window
---@field asked string? what it was last asked about
---@field cancel fun()
---@field timer uv.uv_timer_t
---@field group integer

---By tab page.
---@type table<integer, khoj_ls.Related>
local views = {}

---@param self khoj_ls.Related
---@param lines string[]
local function fill(self, lines)
  vim.bo[self.bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(self.bufnr, 0, -1, false, lines)
  vim.bo[self.bufnr].modifiable = false
  vim.api.nvim_buf_clear_namespace(self.bufnr, space, 0, -1)
end

---@param self khoj_ls.Related
---@param text string
---@param group string
local function tell(self, text, group)
  self.rows, self.found = {}, {}
  fill(self, { text })
  vim.api.nvim_buf_set_extmark(self.bufnr, space, 0, 0, { end_col = #text, hl_group = group })
end

---@param self khoj_ls.Related
---@param found khoj_ls.Item[]
---@param note string
local function show(self, found, note)
  if #found == 0 then
    return tell(self, note ~= '' and note or say.NO_RELATED, 'KhojDim')
  end
  self.found, self.rows = found, {}
  local lines, marks = {}, {}
  local width = vim.api.nvim_win_is_valid(self.win) and vim.api.nvim_win_get_width(self.win) or 40
  local function add(text, group)
    lines[#lines + 1] = text
    marks[#marks + 1] = { #lines - 1, #text, group }
  end
  if note ~= '' then
    add(note, 'KhojWarning')
  end
  for _, item in ipairs(found) do
    local first = #lines + 1
    add(item.heading ~= '' and item.heading or item.path, 'KhojHeading')
    local mark = item.mark ~= '' and ' · ' .. item.mark or ''
    add(('  %.2f  %s:%d%s'):format(item.score or 0, item.path, item.lnum, mark), 'KhojPath')
    add('  ' .. items.cut(item.text, EXCERPT * (width - 6)), 'KhojDim')
    for row = first, #lines do
      self.rows[row] = item
    end
  end
  fill(self, lines)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(self.bufnr, space, mark[1], 0, { end_col = mark[2], hl_group = mark[3] })
  end
  if vim.api.nvim_win_is_valid(self.win) and vim.api.nvim_get_current_win() ~= self.win then
    vim.api.nvim_win_set_cursor(self.win, { 1, 0 })
  end
end

---What to ask about a window, and a text that is the same where the question is.
---@param win integer
---@return (fun(client: vim.lsp.Client): table)? params
---@return string key or why there is nothing to ask
local function question(win)
  local bufnr = vim.api.nvim_win_get_buf(win)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local limit = require('khoj_ls.options').get().related.limit
  if server.is_remote(name) then
    return nil, name .. ' is not a file on this machine.'
  end
  if server.attached(bufnr) or server.is_note(bufnr) then
    local key = ('%d:%d:%d'):format(bufnr, vim.api.nvim_win_get_cursor(win)[1], vim.b[bufnr].changedtick)
    return function(client)
      local position = region.cursor(client, win)
      return { textDocument = region.document(bufnr), position = position, limit = limit }
    end,
      key
  end
  local text = region.paragraph(win)
  if text == '' then
    return nil, 'Nothing is written here.'
  end
  return function()
    return { text = text, limit = limit, symmetric = true }
  end, text
end

---@param self khoj_ls.Related
---@param again boolean whether to ask even about the same place
local function refresh(self, again)
  local win = self.source
  if not win or not vim.api.nvim_win_is_valid(win) or not vim.api.nvim_win_is_valid(self.win) then
    return
  end
  local params, key = question(win)
  if not params then
    self.asked = nil
    self.cancel()
    return tell(self, key, 'KhojDim')
  end
  if key == self.asked and not again then
    return
  end
  self.asked = key
  self.cancel()
  local bufnr = vim.api.nvim_win_get_buf(win)
  self.cancel = server.request('khoj/related', params, { bufnr = bufnr }, function(failure, result)
    self.cancel = function() end
    if not vim.api.nvim_buf_is_valid(self.bufnr) then
      return
    elseif failure then
      if failure.code ~= 'khoj.cancelled' then
        self.asked = nil
        tell(self, failure.message, 'KhojError')
      end
    else
      show(self, items.of_related(result), items.note(result))
    end
  end)
end

---@param self khoj_ls.Related
---@param again boolean
local function refresh_soon(self, again)
  self.timer:stop()
  self.timer:start(
    require('khoj_ls.options').get().related.delay,
    0,
    vim.schedule_wrap(function()
      refresh(self, again)
    end)
  )
end

---Whether a window shows something that can be asked about.
---@param self khoj_ls.Related
---@param win integer
---@return boolean
local function is_source(self, win)
  local bufnr = vim.api.nvim_win_get_buf(win)
  return win ~= self.win
    and vim.api.nvim_win_get_config(win).relative == ''
    and vim.bo[bufnr].buftype == ''
    and not vim.b[bufnr].khoj_ls_view
end

---@param self khoj_ls.Related
local function dispose(self)
  self.cancel()
  self.timer:stop()
  if not self.timer:is_closing() then
    self.timer:close()
  end
  pcall(vim.api.nvim_del_augroup_by_id, self.group)
  require('khoj_ls.events').leave_index(self)
  for tab, view in pairs(views) do
    if view == self then
      views[tab] = nil
    end
  end
end

---@param self khoj_ls.Related
local function follow(self)
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'BufEnter', 'WinEnter', 'InsertLeave' }, {
    group = self.group,
    callback = function()
      local win = vim.api.nvim_get_current_win()
      if
        vim.api.nvim_win_is_valid(self.win) and vim.api.nvim_win_get_tabpage(self.win) == vim.api.nvim_get_current_tabpage()
      then
        if is_source(self, win) then
          self.source = win
          refresh_soon(self, false)
        end
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    group = self.group,
    buffer = self.bufnr,
    callback = function()
      dispose(self)
    end,
  })
  require('khoj_ls.events').follow_index(self, function()
    refresh_soon(self, true)
  end)
end

---@param self khoj_ls.Related
local function set_keys(self)
  local function key(lhs, what, call)
    vim.keymap.set('n', lhs, call, { buffer = self.bufnr, nowait = true, desc = 'khoj_ls: ' .. what })
  end
  local function item()
    return self.rows[vim.api.nvim_win_get_cursor(self.win)[1]]
  end
  local function open(how)
    return function()
      local chosen = item()
      if chosen then
        if self.source and vim.api.nvim_win_is_valid(self.source) then
          vim.api.nvim_set_current_win(self.source)
        end
        jump.item(chosen, how)
      end
    end
  end
  key('<CR>', 'open', open('edit'))
  key('<2-LeftMouse>', 'open', open('edit'))
  key('o', 'open', open('edit'))
  key('s', 'open in a split', open('split'))
  key('v', 'open beside', open('vsplit'))
  key('t', 'open in a tab', open('tab'))
  key('i', 'link to it from the note', function()
    local chosen = item()
    if chosen and self.source and vim.api.nvim_win_is_valid(self.source) then
      vim.api.nvim_set_current_win(self.source)
      require('khoj_ls.links').insert_to(chosen)
    end
  end)
  key('r', 'ask again', function()
    refresh(self, true)
  end)
  key('<C-q>', 'all to the quickfix list', function()
    if #self.found > 0 then
      items.to_quickfix('Related notes', self.found)
    end
  end)
  key('q', 'close', function()
    if #vim.api.nvim_tabpage_list_wins(0) == 1 then
      vim.wo[self.win].winfixbuf = false
      vim.cmd.enew() -- the last window cannot be closed
    else
      vim.api.nvim_win_close(self.win, true)
    end
  end)
end

---@return khoj_ls.Related
local function open()
  local options = require('khoj_ls.options').get().related
  local source = vim.api.nvim_get_current_win()
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].undolevels = -1
  vim.bo[bufnr].filetype = 'khoj_ls_related'
  vim.b[bufnr].khoj_ls_view = true
  vim.api.nvim_buf_set_name(bufnr, ('khoj_ls://related/%d'):format(bufnr))
  local win = vim.api.nvim_open_win(bufnr, false, {
    split = options.position == 'left' and 'left' or 'right',
    win = -1,
    width = math.min(options.width, math.floor(vim.o.columns / 2)),
  })
  local window = vim.wo[win]
  window.winfixwidth, window.winfixbuf = true, true
  window.number, window.relativenumber, window.signcolumn, window.foldcolumn = false, false, 'no', '0'
  window.wrap, window.linebreak, window.breakindent, window.list, window.spell = true, true, true, false, false
  window.cursorline = true
  window.winbar = '%#KhojRole# Related notes%*'
  ---@type khoj_ls.Related
  local self = {
    bufnr = bufnr,
    win = win,
    found = {},
    rows = {},
    cancel = function() end,
    timer = assert(vim.uv.new_timer()),
    group = vim.api.nvim_create_augroup('khoj_ls.related.' .. bufnr, {}),
  }
  self.source = is_source(self, source) and source or nil
  set_keys(self)
  follow(self)
  tell(self, '…', 'KhojDim')
  refresh(self, true)
  return self
end

---Open the side window of this tab page, or close it.
function M.toggle()
  require('khoj_ls.highlights').define()
  local tab = vim.api.nvim_get_current_tabpage()
  local view = views[tab]
  if view and vim.api.nvim_win_is_valid(view.win) then
    vim.api.nvim_win_close(view.win, true)
  else
    views[tab] = open()
  end
end

---List notes like a region, or like the place where the cursor is.
---@param options { region: khoj_ls.Region?, quickfix: boolean? }
function M.list(options)
  local win, bufnr = vim.api.nvim_get_current_win(), vim.api.nvim_get_current_buf()
  local params, why = question(win)
  if options.region then
    local chosen = options.region --[[@as khoj_ls.Region]]
    local known = server.attached(bufnr) ~= nil
    local text = region.text(chosen)
    params = function(client)
      if known then
        return { textDocument = region.document(bufnr), range = region.range(client, chosen) }
      end
      return { text = text, symmetric = true }
    end
  end
  if not params then
    return say.warn(why)
  end
  server.request('khoj/related', params, { bufnr = bufnr }, function(failure, result)
    if failure then
      return say.failure(failure)
    end
    local note = items.note(result)
    local title = note ~= '' and ('Related notes (%s)'):format(note) or 'Related notes'
    picker.list(title, items.of_related(result), options.quickfix or false, say.NO_RELATED)
  end)
end

return M
