--- A list of our own, for when no picker is installed: a line to type in, what is found below it, and a preview.

local items = require('khoj_ls.items')
local layout = require('khoj_ls.picker.layout')
local preview = require('khoj_ls.preview')
local say = require('khoj_ls.say')

local M = {}

local space = vim.api.nvim_create_namespace('khoj_ls.picker')
local DELAY = 60 -- milliseconds of rest before what was typed is asked for

---@class khoj_ls.Window
---@field spec khoj_ls.Pick
---@field frame khoj_ls.Frame
---@field found khoj_ls.Item[]
---@field chosen integer
---@field cancel fun()
---@field asked string? the query that is or was asked for
---@field timer uv.uv_timer_t
---@field back integer window to go back to
---@field closed boolean

---@param self khoj_ls.Window
---@return khoj_ls.Item?
local function current(self)
  return self.found[self.chosen]
end

---@param self khoj_ls.Window
local function show_chosen(self)
  local list = self.frame.list
  vim.api.nvim_buf_clear_namespace(list.bufnr, space, 0, -1)
  for index, item in ipairs(self.found) do
    layout.paint(list.bufnr, space, index, item, { chosen = index == self.chosen, place = not self.frame.preview })
  end
  local item = current(self)
  if item then
    vim.api.nvim_win_set_cursor(list.win, { self.chosen * 2, 0 })
    vim.api.nvim_win_set_cursor(list.win, { self.chosen * 2 - 1, 0 })
  end
  if self.frame.preview then
    if item then
      preview.show(self.frame.preview.win, item)
      layout.title(self.frame.preview.win, ('%s:%d'):format(item.path, item.lnum))
    else
      layout.clear(self.frame.preview.bufnr)
      layout.title(self.frame.preview.win, '')
    end
  end
end

---@param self khoj_ls.Window
---@param found khoj_ls.Item[]
---@param note string
local function show(self, found, note)
  self.found, self.chosen = found, 1
  local lines = {}
  for _, item in ipairs(found) do
    vim.list_extend(lines, layout.lines(item, not self.frame.preview))
  end
  layout.fill(self.frame.list.bufnr, lines)
  local count = #found == 0 and self.asked ~= '' and say.NO_HITS or #found > 0 and ('%d'):format(#found) or ''
  layout.footer(self.frame.list.win, vim.trim(note ~= '' and count .. ' · ' .. note or count))
  show_chosen(self)
end

---@param self khoj_ls.Window
---@return string
local function typed(self)
  return vim.api.nvim_buf_get_lines(self.frame.prompt.bufnr, 0, 1, false)[1] or ''
end

---@param self khoj_ls.Window
local function close(self)
  if self.closed then
    return
  end
  self.closed = true
  self.cancel()
  self.timer:stop()
  self.timer:close()
  vim.cmd.stopinsert()
  layout.close(self.frame)
  if vim.api.nvim_win_is_valid(self.back) then
    vim.api.nvim_set_current_win(self.back)
  end
end

---@param self khoj_ls.Window
local function ask(self)
  local query = typed(self)
  if self.closed or query == self.asked then
    return
  end
  self.cancel()
  self.asked = query
  if self.spec.find then
    -- What was found stays until something else is, so that nothing flickers.
    self.cancel = self.spec.find(query, function(found, note)
      self.cancel = function() end
      if not self.closed then
        show(self, found, note)
      end
    end)
  else
    show(self, layout.narrow(self.spec.items, query), '')
  end
end

---@param self khoj_ls.Window
local function ask_soon(self)
  self.timer:stop()
  self.timer:start(
    DELAY,
    0,
    vim.schedule_wrap(function()
      ask(self)
    end)
  )
end

---@param self khoj_ls.Window
---@param how khoj_ls.How
local function accept(self, how)
  local item = current(self)
  close(self)
  if item then
    -- Insert mode is left first: the place would be one column to the left otherwise.
    vim.schedule(function()
      self.spec.choose(item, how)
    end)
  end
end

---@param self khoj_ls.Window
---@param step integer
local function move(self, step)
  if #self.found > 0 then
    self.chosen = (self.chosen - 1 + step) % #self.found + 1
    show_chosen(self)
  end
end

---Offer ways to go on with the query: names of filters, and their values.
---@param self khoj_ls.Window
local function complete(self)
  if vim.fn.pumvisible() == 1 then
    vim.api.nvim_feedkeys(vim.keycode('<C-n>'), 'n', false)
    return
  end
  local query = typed(self)
  local column = vim.api.nvim_win_get_cursor(self.frame.prompt.win)[2]
  local offset = vim.str_utfindex(query, 'utf-32', column, false)
  if self.spec.complete then
    self.spec.complete(query, offset, function(completions)
      if #completions == 0 or self.closed or typed(self) ~= query or vim.fn.mode() ~= 'i' then
        return
      end
      local words = vim.tbl_map(function(each)
        return { word = each.text, menu = each.detail }
      end, completions)
      vim.fn.complete(vim.str_byteindex(query, 'utf-32', completions[1].start, false) + 1, words)
    end)
  end
end

---@param self khoj_ls.Window
local function set_keys(self)
  local function key(lhs, call)
    for _, each in ipairs(type(lhs) == 'table' and lhs or { lhs }) do
      vim.keymap.set({ 'i', 'n' }, each, call, { buffer = self.frame.prompt.bufnr, nowait = true })
    end
  end
  key('<CR>', function()
    accept(self, 'edit')
  end)
  key({ '<C-x>', '<C-s>' }, function()
    accept(self, 'split')
  end)
  key('<C-v>', function()
    accept(self, 'vsplit')
  end)
  key('<C-t>', function()
    accept(self, 'tab')
  end)
  key({ '<C-c>', '<Esc>' }, function()
    close(self)
  end)
  key({ '<C-n>', '<Down>' }, function()
    if vim.fn.pumvisible() == 1 then
      return vim.api.nvim_feedkeys(vim.keycode('<C-n>'), 'n', false)
    end
    move(self, 1)
  end)
  key({ '<C-p>', '<Up>' }, function()
    if vim.fn.pumvisible() == 1 then
      return vim.api.nvim_feedkeys(vim.keycode('<C-p>'), 'n', false)
    end
    move(self, -1)
  end)
  key('<Tab>', function()
    complete(self)
  end)
  key('<C-q>', function()
    local found, title = self.found, ('%s: %s'):format(self.spec.title, typed(self))
    close(self)
    if #found > 0 then
      items.to_quickfix(title, found)
    end
  end)
  local function scroll(keys)
    return function()
      if self.frame.preview then
        vim.api.nvim_win_call(self.frame.preview.win, function()
          vim.cmd('normal! ' .. vim.keycode(keys))
        end)
      end
    end
  end
  key({ '<C-d>', '<C-f>' }, scroll('<C-d>'))
  key({ '<C-u>', '<C-b>' }, scroll('<C-u>'))
end

---@param spec khoj_ls.Pick
function M.pick(spec)
  require('khoj_ls.highlights').define()
  ---@type khoj_ls.Window
  local self = {
    spec = spec,
    back = vim.api.nvim_get_current_win(),
    frame = layout.open(spec.title),
    found = {},
    chosen = 1,
    cancel = function() end,
    timer = assert(vim.uv.new_timer()),
    closed = false,
  }
  set_keys(self)
  local prompt = self.frame.prompt
  vim.api.nvim_create_autocmd({ 'TextChangedI', 'TextChangedP', 'TextChanged' }, {
    buffer = prompt.bufnr,
    callback = function()
      ask_soon(self)
    end,
  })
  vim.api.nvim_create_autocmd('WinLeave', {
    buffer = prompt.bufnr,
    callback = function()
      vim.schedule(function()
        close(self)
      end)
    end,
  })
  vim.api.nvim_create_autocmd('VimResized', {
    buffer = prompt.bufnr,
    callback = function()
      layout.place(self.frame)
      show_chosen(self)
    end,
  })
  vim.api.nvim_buf_set_lines(prompt.bufnr, 0, -1, false, { spec.query or '' })
  vim.cmd.startinsert({ bang = true })
  ask(self)
end

return M
