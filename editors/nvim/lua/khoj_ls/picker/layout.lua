--- The windows of our own list: where they are, and what their lines look like.

local M = {}

---@class khoj_ls.Pane
---@field bufnr integer
---@field win integer

---@class khoj_ls.Frame
---@field title string
---@field prompt khoj_ls.Pane
---@field list khoj_ls.Pane
---@field preview? khoj_ls.Pane where the screen is wide enough

local WIDE = 100 -- columns from which there is room for a preview

---@class khoj_ls.Boxes
---@field prompt vim.api.keyset.win_config
---@field list vim.api.keyset.win_config
---@field preview? vim.api.keyset.win_config

---@param title string
---@return khoj_ls.Boxes
local function boxes(title)
  local columns, lines = vim.o.columns, vim.o.lines - vim.o.cmdheight
  local width = math.max(20, math.min(columns - 4, 150))
  local height = math.max(6, math.min(lines - 4, 32))
  local row, column = math.max(0, math.floor((lines - height) / 2) - 1), math.floor((columns - width) / 2)
  local left = columns >= WIDE and math.floor(width * 0.5) or width
  local common = { relative = 'editor', style = 'minimal', border = 'rounded', zindex = 60 }
  local found = {
    prompt = vim.tbl_extend('error', common, {
      row = row,
      col = column,
      width = left - 2,
      height = 1,
      title = ' ' .. title .. ' ',
    }),
    list = vim.tbl_extend('error', common, {
      row = row + 3,
      col = column,
      width = left - 2,
      height = height - 5,
      focusable = false,
    }),
  }
  if columns >= WIDE then
    found.preview = vim.tbl_extend('error', common, {
      row = row,
      col = column + left,
      width = width - left - 2,
      height = height - 2,
      focusable = false,
    })
  end
  return found
end

---@param box vim.api.keyset.win_config
---@param enter boolean
---@return khoj_ls.Pane
local function pane(box, enter)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].undolevels = enter and vim.o.undolevels or -1
  vim.b[bufnr].khoj_ls_view = true
  local win = vim.api.nvim_open_win(bufnr, enter, box)
  vim.wo[win].wrap = false
  vim.wo[win].winhighlight = 'NormalFloat:Normal'
  return { bufnr = bufnr, win = win }
end

---Open the windows, the one to type in last: that is where the cursor is.
---@param title string
---@return khoj_ls.Frame
function M.open(title)
  local where = boxes(title)
  local frame = { title = title } ---@type khoj_ls.Frame
  frame.preview = where.preview and pane(where.preview, false)
  if frame.preview then
    local window = vim.wo[frame.preview.win]
    window.wrap, window.linebreak = true, true
  end
  frame.list = pane(where.list, false)
  frame.prompt = pane(where.prompt, true)
  -- Not the user's completion while typing: <Tab> asks the server.
  vim.bo[frame.prompt.bufnr].filetype = 'khoj_ls_prompt'
  vim.bo[frame.prompt.bufnr].complete = ''
  return frame
end

---Move the windows to where they belong on a screen that has changed.
---@param frame khoj_ls.Frame
function M.place(frame)
  local where = boxes(frame.title)
  vim.api.nvim_win_set_config(frame.prompt.win, where.prompt)
  vim.api.nvim_win_set_config(frame.list.win, where.list)
  if frame.preview and where.preview then
    vim.api.nvim_win_set_config(frame.preview.win, where.preview)
  elseif frame.preview then
    vim.api.nvim_win_close(frame.preview.win, true)
    frame.preview = nil
  end
end

---@param frame khoj_ls.Frame
function M.close(frame)
  for _, each in pairs({ frame.prompt, frame.list, frame.preview }) do
    if vim.api.nvim_win_is_valid(each.win) then
      vim.api.nvim_win_close(each.win, true)
    end
  end
end

---@param bufnr integer
---@param lines string[]
function M.fill(bufnr, lines)
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
end

---@param bufnr integer
function M.clear(bufnr)
  M.fill(bufnr, {})
end

---Say in the upper border of a window where its text is from.
---@param win integer
---@param text string
function M.title(win, text)
  vim.api.nvim_win_set_config(win, { title = text ~= '' and ' ' .. text .. ' ' or '' })
end

---Say in the lower border of a window what is to be known.
---@param win integer
---@param text string
function M.footer(win, text)
  text = require('khoj_ls.items').cut(text, vim.api.nvim_win_get_width(win) - 2)
  vim.api.nvim_win_set_config(win, { footer = text ~= '' and ' ' .. text .. ' ' or '', footer_pos = 'right' })
end

---What stands before the excerpt of an item: nothing where the preview's title says where it is.
---@param item khoj_ls.Item
---@param place boolean
---@return string
local function indent(item, place)
  return '   ' .. (place and ('%s:%d  '):format(item.path, item.lnum) or '')
end

---Two lines: what the note and the heading are called, and the excerpt.
---@param item khoj_ls.Item
---@param place boolean whether to say where it is
---@return string[]
function M.lines(item, place)
  local name = item.heading ~= '' and item.heading or item.path
  return { ' ' .. name, indent(item, place or item.text == '') .. item.text }
end

---Colour the two lines of an item.
---@param bufnr integer
---@param space integer
---@param index integer 1-based
---@param item khoj_ls.Item
---@param state { chosen: boolean, place: boolean }
function M.paint(bufnr, space, index, item, state)
  local row = index * 2 - 2
  local before = #indent(item, state.place or item.text == '')
  local function mark(line, from, options)
    vim.api.nvim_buf_set_extmark(bufnr, space, line, from, options)
  end
  mark(row, 0, { end_row = row + 1, hl_group = 'KhojHeading' })
  if item.mark ~= '' then
    mark(row, 0, { virt_text = { { ' ' .. item.mark .. ' ', 'KhojMark' } }, virt_text_pos = 'right_align' })
  end
  mark(row + 1, 0, { end_col = before, hl_group = 'KhojPath' })
  mark(row + 1, before, { end_row = row + 2, hl_group = 'KhojDim' })
  for _, pair in ipairs(item.text ~= '' and item.highlights or {}) do
    mark(row + 1, pair[1] + before, { end_col = pair[2] + before, hl_group = 'KhojMatch', priority = 5000 })
  end
  if state.chosen then
    for line = row, row + 1 do
      mark(line, 0, {
        line_hl_group = 'KhojSelected',
        virt_text = { { '▌', 'KhojMark' } },
        virt_text_pos = 'overlay',
        hl_mode = 'combine',
      })
    end
  end
end

---The items of a fixed list that fit what is typed, all its words in any order.
---@param all khoj_ls.Item[]
---@param query string
---@return khoj_ls.Item[]
function M.narrow(all, query)
  if vim.trim(query) == '' then
    return all
  end
  return vim.fn.matchfuzzy(all, query, {
    text_cb = function(item)
      return table.concat({ item.heading, item.path, item.text }, ' ')
    end,
  })
end

return M
