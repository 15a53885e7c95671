--- Citations of an answer: where they stand in the buffer, and what they lead to.

local items = require('khoj_ls.items')
local view = require('khoj_ls.chat.view')

local M = {}

---@param place table `ChatSource` or `ChatCitation` of docs/protocol.md
---@return khoj_ls.Passage
function M.passage(place)
  local first, last = items.lines(place.range)
  local heading = items.heading(place.title, place.outline)
  return {
    uri = place.uri,
    lnum = first,
    end_lnum = last,
    label = ('[%d] %s:%d%s'):format(place.number, place.path, first, heading ~= '' and '  ' .. heading or ''),
    quote = place.quote or place.text or '',
  }
end

---A function from offsets in a text, in code points, to places of a buffer where the text begins at `start`. Offsets have to
---be asked for in any order.
---@param text string
---@param start integer[] {line, byte column}
---@return fun(offset: integer): integer[]
function M.places(text, start)
  local lines = vim.split(text, '\n')
  local begins, total = {}, 0 -- the offset at which each line begins
  for index, line in ipairs(lines) do
    begins[index] = total
    total = total + vim.str_utfindex(line, 'utf-32') + 1
  end
  return function(offset)
    local index = #lines
    while index > 1 and begins[index] > offset do
      index = index - 1
    end
    local column = vim.str_byteindex(lines[index], 'utf-32', offset - begins[index], false)
    return { start[1] + index - 1, column + (index == 1 and start[2] or 0) }
  end
end

---Make the citations of an answer links, and underline what names no source. Where the user has changed the answer meanwhile
---nothing is marked: the offsets would be those of another text.
---@param bufnr integer
---@param marks khoj_ls.Marks
---@param event table `ChatDoneEvent` of docs/protocol.md
---@param link fun(mark: integer, passages: khoj_ls.Passage[])
function M.mark(bufnr, marks, event, link)
  if view.answer(bufnr, marks) ~= event.text then
    return
  end
  local place = M.places(event.text, view.start_of_answer(bufnr, marks))
  local together = {} ---@type table<string, table[]> citations that stand at one place: [1, 3]
  for _, citation in ipairs(event.citations or {}) do
    local key = citation.start .. ':' .. citation['end']
    together[key] = together[key] or {}
    table.insert(together[key], citation)
  end
  for _, same in pairs(together) do
    local mark = view.add_link(bufnr, place(same[1].start), place(same[1]['end']))
    link(mark, vim.tbl_map(M.passage, same))
  end
  for _, statement in ipairs(event.unsupported or {}) do
    view.add_doubt(bufnr, place(statement.start), place(statement['end']))
  end
end

---What is listed below an answer: the sources that it cites, or all where it cites none.
---@param sources table[] `ChatSource`
---@param citations table[] `ChatCitation`
---@return { text: string, passage: khoj_ls.Passage }[]
function M.listed(sources, citations)
  local cited = {}
  for _, each in ipairs(citations or {}) do
    cited[each.number] = true
  end
  local listed = {}
  for _, source in ipairs(sources or {}) do
    if cited[source.number] or next(cited) == nil then
      local passage = M.passage(source)
      listed[#listed + 1] = { text = passage.label, passage = passage }
    end
  end
  return listed
end

---The numbers of a citation as it stands in a text at a column: while an answer comes, nothing more is known of it.
---@param line string
---@param column integer 1-based byte
---@return table<integer, true>
function M.numbers_at(line, column)
  local from = 1
  while true do
    local first, last, inner = line:find('%[%^?([%d,%s%-–]+)%]', from)
    if not first then
      return {}
    end
    if column >= first and column <= last then
      local numbers = {}
      for number in inner:gmatch('%d+') do
        numbers[tonumber(number)] = true
      end
      return numbers
    end
    from = last + 1
  end
end

return M
