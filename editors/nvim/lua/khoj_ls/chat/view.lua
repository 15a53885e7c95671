--- The buffer of a conversation and its window: questions and answers as Markdown, the next question below them.

local M = {}

---@class khoj_ls.Passage a place that can be followed
---@field uri string
---@field lnum integer
---@field end_lnum integer
---@field label string
---@field quote string

---@class khoj_ls.Marks
---@field question integer the heading of the question
---@field answer integer the heading of the answer
---@field stream integer where the answer goes on

local frame = vim.api.nvim_create_namespace('khoj_ls.chat.frame')
local links = vim.api.nvim_create_namespace('khoj_ls.chat.links')
local hints = vim.api.nvim_create_namespace('khoj_ls.chat.hints')

local brackets = vim.api.nvim_create_namespace('khoj_ls.chat.brackets')

local YOU, ANSWER = '## You', '## khoj_ls'

---Change a buffer so that undo does not take the change back: an answer that arrived is no edit of the user.
---@param bufnr integer
---@param change fun()
local function without_undo(bufnr, change)
  local levels = vim.bo[bufnr].undolevels
  vim.bo[bufnr].undolevels = -1
  local ok, why = pcall(change)
  vim.bo[bufnr].undolevels = levels
  if not ok then
    error(why, 0)
  end
end

---Keep the brackets of citations: the colouring of Markdown hides them, as if they were links without an address.
---@param bufnr integer
---@param first integer row
---@param last integer row
local function keep_brackets(bufnr, first, last)
  vim.api.nvim_buf_clear_namespace(bufnr, brackets, first, last + 1)
  for index, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, first, last + 1, false)) do
    for from, to in line:gmatch('()%[%^?%d[%d,%s-–]*%]()') do
      for column, character in pairs({ [from - 1] = '[', [to - 2] = ']' }) do
        vim.api.nvim_buf_set_extmark(bufnr, brackets, first + index - 1, column, {
          end_col = column + 1,
          conceal = character,
          hl_group = 'KhojCitation',
          priority = 200, -- above treesitter's
        })
      end
    end
  end
end

---@param bufnr integer
---@param mark integer
---@return integer row
---@return integer column
local function where(bufnr, mark)
  local at = vim.api.nvim_buf_get_extmark_by_id(bufnr, frame, mark, {})
  return at[1] or 0, at[2] or 0
end

---@param bufnr integer
---@param row integer
---@return integer mark
local function head(bufnr, row)
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
  vim.api.nvim_buf_set_extmark(bufnr, hints, row, 0, { end_col = math.min(3, #line), conceal = '' })
  return vim.api.nvim_buf_set_extmark(bufnr, frame, row, 0, { line_hl_group = 'KhojRole', right_gravity = false })
end

---Make a buffer for a conversation, with nothing in it but the place for a question.
---@return integer bufnr
---@return integer prompt mark of the question's heading
function M.create()
  local bufnr = vim.api.nvim_create_buf(true, true)
  vim.api.nvim_buf_set_name(bufnr, ('khoj_ls://chat/%d'):format(bufnr))
  vim.bo[bufnr].bufhidden = 'hide'
  vim.bo[bufnr].filetype = 'markdown'
  vim.b[bufnr].khoj_ls_view = true
  pcall(vim.treesitter.start, bufnr, 'markdown')
  without_undo(bufnr, function()
    vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { YOU, '', '' })
  end)
  return bufnr, head(bufnr, 0)
end

---@param bufnr integer
---@return boolean
function M.in_prompt(bufnr, prompt)
  local row = where(bufnr, prompt)
  return vim.api.nvim_win_get_cursor(0)[1] - 1 >= row
end

---The text between two headings, or from one to the end.
---@param bufnr integer
---@param from integer mark
---@param to integer? mark
---@return string
function M.between(bufnr, from, to)
  local first = where(bufnr, from) + 1
  local last = to and where(bufnr, to) or -1
  return vim.trim(table.concat(vim.api.nvim_buf_get_lines(bufnr, first, last, false), '\n'))
end

---Put text where the next question is written, below what is there.
---@param bufnr integer
---@param prompt integer
---@param text string
function M.set_question(bufnr, prompt, text)
  local row = where(bufnr, prompt)
  vim.api.nvim_buf_set_lines(bufnr, row + 1, -1, false, vim.list_extend({ '' }, vim.split(text, '\n')))
end

---Say below a heading what a question is about.
---@param bufnr integer
---@param prompt integer
---@param lines string[]
function M.set_context(bufnr, prompt, lines)
  local row = where(bufnr, prompt)
  local shown = vim.tbl_map(function(line)
    return { { '   ' .. line, 'KhojPath' } }
  end, lines)
  vim.api.nvim_buf_set_extmark(bufnr, frame, row, 0, {
    id = prompt,
    line_hl_group = 'KhojRole',
    right_gravity = false,
    virt_lines = #shown > 0 and shown or nil,
  })
end

---Move the cursors of a buffer's windows to where a question is written.
---@param bufnr integer
function M.to_prompt(bufnr)
  for _, win in ipairs(vim.fn.win_findbuf(bufnr)) do
    local last = vim.api.nvim_buf_line_count(bufnr)
    local line = vim.api.nvim_buf_get_lines(bufnr, last - 1, last, false)[1] or ''
    vim.api.nvim_win_set_cursor(win, { last, #line })
  end
end

---Begin an answer below a question, and the next question below that.
---@param bufnr integer
---@param prompt integer
---@param question string
---@return khoj_ls.Marks
---@return integer prompt of the next question
function M.begin(bufnr, prompt, question)
  local row = where(bufnr, prompt)
  local lines = vim.list_extend({ '' }, vim.split(question, '\n'))
  vim.list_extend(lines, { '', ANSWER, '', '', '', YOU, '', '' })
  without_undo(bufnr, function()
    vim.api.nvim_buf_set_lines(bufnr, row + 1, -1, false, lines)
  end)
  local last = row + #lines -- of the whole buffer
  local marks = {
    question = prompt,
    answer = head(bufnr, last - 6),
    stream = vim.api.nvim_buf_set_extmark(bufnr, frame, last - 4, 0, {}),
  }
  return marks, head(bufnr, last - 2)
end

---Take an answer away, so that another one can be written in its place.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param prompt integer
function M.begin_again(bufnr, marks, prompt)
  local first, last = where(bufnr, marks.answer) + 1, where(bufnr, prompt)
  vim.api.nvim_buf_clear_namespace(bufnr, links, first, last)
  vim.api.nvim_buf_clear_namespace(bufnr, hints, first, last)
  without_undo(bufnr, function()
    vim.api.nvim_buf_set_lines(bufnr, first, last, false, { '', '', '' })
  end)
  vim.api.nvim_buf_set_extmark(bufnr, frame, first + 1, 0, { id = marks.stream })
end

---Say at the end of an answer what is being done.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param text string
function M.set_status(bufnr, marks, text)
  local row, column = where(bufnr, marks.stream)
  vim.api.nvim_buf_set_extmark(bufnr, frame, row, column, {
    id = marks.stream,
    virt_text = text ~= '' and { { '▍', 'KhojMark' }, { text, 'KhojDim' } } or nil,
  })
end

---Say below an answer what is to be known about it.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param lines { [1]: string, [2]: string }[] texts and their groups
function M.set_remarks(bufnr, marks, lines)
  local row, column = where(bufnr, marks.stream)
  local shown = { { { '' } } }
  for _, line in ipairs(lines) do
    shown[#shown + 1] = { { line[1], line[2] } }
  end
  vim.api.nvim_buf_set_extmark(bufnr, frame, row, column, {
    id = marks.stream,
    virt_lines = #lines > 0 and shown or nil,
  })
end

---Go on with an answer.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param text string
function M.append(bufnr, marks, text)
  local row, column = where(bufnr, marks.stream)
  without_undo(bufnr, function()
    vim.api.nvim_buf_set_text(bufnr, row, column, row, column, vim.split(text, '\n'))
  end)
  keep_brackets(bufnr, row, (where(bufnr, marks.stream)))
end

---Where an answer's text begins: {line, byte column}.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@return integer[]
function M.start_of_answer(bufnr, marks)
  return { where(bufnr, marks.answer) + 2, 0 }
end

---The text of an answer, as it stands in the buffer.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@return string
function M.answer(bufnr, marks)
  local start = M.start_of_answer(bufnr, marks)
  local row, column = where(bufnr, marks.stream)
  if row < start[1] then
    return ''
  end
  return table.concat(vim.api.nvim_buf_get_text(bufnr, start[1], start[2], row, column, {}), '\n')
end

---Write lines below an answer, each of them a link to a passage.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param lines { text: string, passage: khoj_ls.Passage }[]
---@param link fun(mark: integer, passages: khoj_ls.Passage[])
function M.add_sources(bufnr, marks, lines, link)
  if #lines == 0 then
    return
  end
  local row = where(bufnr, marks.stream)
  local texts = { '' }
  for _, each in ipairs(lines) do
    texts[#texts + 1] = (each.text:gsub('\n', ' '))
  end
  without_undo(bufnr, function()
    vim.api.nvim_buf_set_lines(bufnr, row + 1, row + 1, false, texts)
  end)
  for index, each in ipairs(lines) do
    local mark = vim.api.nvim_buf_set_extmark(bufnr, links, row + 1 + index, 0, {
      end_col = #texts[index + 1],
      hl_group = 'KhojPath',
    })
    link(mark, { each.passage })
  end
  keep_brackets(bufnr, row + 1, row + #texts)
  -- The remarks stand below the sources; the stream has ended.
  local last = row + #texts
  vim.api.nvim_buf_set_extmark(bufnr, frame, last, 0, { id = marks.stream })
end

---Make a stretch of an answer a link.
---@param bufnr integer
---@param from integer[] {line, byte column}
---@param to integer[]
---@return integer mark
function M.add_link(bufnr, from, to)
  return vim.api.nvim_buf_set_extmark(bufnr, links, from[1], from[2], {
    end_row = to[1],
    end_col = to[2],
    hl_group = 'KhojCitation',
  })
end

---Underline a statement that names no source.
---@param bufnr integer
---@param from integer[]
---@param to integer[]
function M.add_doubt(bufnr, from, to)
  vim.api.nvim_buf_set_extmark(bufnr, hints, from[1], from[2], {
    end_row = to[1],
    end_col = to[2],
    hl_group = 'KhojUnsupported',
  })
end

---The links at the cursor, the shortest first.
---@param bufnr integer
---@return integer[] marks
function M.links_at_cursor(bufnr)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local found = vim.api.nvim_buf_get_extmarks(bufnr, links, { row - 1, column }, { row - 1, column }, {
    overlap = true,
    details = true,
  })
  local inside = vim.tbl_filter(function(mark)
    return mark[4].end_row > row - 1 or mark[4].end_col > column
  end, found)
  table.sort(inside, function(one, other)
    return (one[4].end_col - one[3]) < (other[4].end_col - other[3])
  end)
  return vim.tbl_map(function(mark)
    return mark[1]
  end, inside)
end

---@param win integer
local function dress(win)
  local window = vim.wo[win]
  window.wrap, window.linebreak, window.breakindent = true, true, true
  window.number, window.relativenumber, window.signcolumn, window.foldcolumn = false, false, 'no', '0'
  window.foldenable, window.list, window.spell = false, false, false
  window.conceallevel, window.concealcursor = 2, 'nc'
  window.winbar = "%{%v:lua.require'khoj_ls.chat'.winbar()%}"
end

---Show a conversation: in the window it has in this tab page, else in a new one.
---@param bufnr integer
---@param position 'right'|'left'|'below'|'tab'|'float'
---@return integer win
function M.show(bufnr, position)
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(win) == bufnr then
      vim.api.nvim_set_current_win(win)
      return win
    end
  end
  local win
  if position == 'float' then
    local width = math.max(20, math.min(100, vim.o.columns - 6))
    local height = math.max(6, math.min(24, vim.o.lines - 8))
    win = vim.api.nvim_open_win(bufnr, true, {
      relative = 'editor',
      row = math.floor((vim.o.lines - height) / 2) - 1,
      col = math.floor((vim.o.columns - width) / 2),
      width = width,
      height = height,
      border = 'rounded',
      zindex = 45,
    })
    vim.wo[win].winhighlight = 'NormalFloat:Normal'
  elseif position == 'tab' then
    vim.cmd('tab split')
    win = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(win, bufnr)
  else
    local width = math.min(require('khoj_ls.options').get().chat.width, math.floor(vim.o.columns / 2))
    win = vim.api.nvim_open_win(bufnr, true, {
      split = position,
      win = -1,
      width = position ~= 'below' and width or nil,
      height = position == 'below' and math.floor(vim.o.lines / 2) or nil,
    })
  end
  dress(win)
  return win
end

return M
