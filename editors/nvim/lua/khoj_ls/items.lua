--- Hits, links and suggestions as lists show them.

local M = {}

---Notes that are less like a place than this are not shown as related; scores go from 0 to 1.
M.LEAST_RELATED = 0.1

---@class khoj_ls.Item
---@field uri string
---@field lnum integer 1-based line
---@field end_lnum integer 1-based last line
---@field path string relative to the vault where that is known
---@field heading string title and headings, ` › ` between them
---@field text string an excerpt on one line
---@field highlights integer[][] [start, end) byte offsets in `text`
---@field mark string what else is to be said, such as `linked`
---@field score? number 0..1
---@field hit? table what the server sent

---@param uri string
---@param vault string?
---@return string
function M.path(uri, vault)
  local name = vim.uri_to_fname(uri)
  local inside = vault and vim.fs.relpath(vault, name)
  return inside or vim.fn.fnamemodify(name, ':~:.')
end

---The lines of a range; one that ends at the beginning of a line does not hold that line.
---@param range lsp.Range
---@return integer first 1-based
---@return integer last 1-based
function M.lines(range)
  local first, last = range.start.line + 1, range['end'].line + 1
  if range['end'].character == 0 and last > first then
    last = last - 1
  end
  return first, last
end

---@param title string?
---@param outline string[]?
---@return string
function M.heading(title, outline)
  local parts = vim.list_extend({}, outline or {})
  if title and title ~= '' and parts[1] ~= title then
    table.insert(parts, 1, title)
  end
  return table.concat(parts, ' › ')
end

---@param text string
---@param offsets integer[][] in code points
---@return integer[][] in bytes
local function bytes(text, offsets)
  return vim.tbl_map(function(pair)
    return { vim.str_byteindex(text, 'utf-32', pair[1], false), vim.str_byteindex(text, 'utf-32', pair[2], false) }
  end, offsets or {})
end

---@param hit table `Hit` of docs/protocol.md
---@return khoj_ls.Item
function M.of_hit(hit)
  local first, last = M.lines(hit.range)
  return {
    uri = hit.uri,
    lnum = first,
    end_lnum = last,
    path = M.path(hit.uri, hit.vault),
    heading = M.heading(hit.title, hit.outline),
    text = hit.snippet,
    highlights = bytes(hit.snippet, hit.highlights),
    mark = hit.linked and 'linked' or '',
    score = hit.score,
    hit = hit,
  }
end

---@param link table `LinkInfo` of docs/protocol.md
---@param vault string?
---@return khoj_ls.Item
function M.of_link(link, vault)
  local first, last = M.lines(link.range)
  return {
    uri = link.uri,
    lnum = first,
    end_lnum = last,
    path = M.path(link.uri, vault),
    heading = '',
    text = vim.trim(link.readable),
    highlights = {},
    mark = link.why ~= vim.NIL and link.why ~= '' and link.why or link.kind == 'mention' and 'mention' or '',
  }
end

---What a place is related to, without what is hardly like it.
---@param result table `SearchResult` of docs/protocol.md
---@return khoj_ls.Item[]
function M.of_related(result)
  return vim.tbl_map(
    M.of_hit,
    vim.tbl_filter(function(hit)
      return hit.score >= M.LEAST_RELATED
    end, result.hits)
  )
end

---@param suggestion table `LinkSuggestion` of docs/protocol.md
---@param vault string?
---@return khoj_ls.Item
function M.of_suggestion(suggestion, vault)
  return {
    uri = suggestion.uri,
    lnum = 1,
    end_lnum = 1,
    path = M.path(suggestion.uri, vault),
    heading = suggestion.title,
    text = '',
    highlights = {},
    mark = suggestion.linked and 'linked' or '',
    score = suggestion.score,
    hit = suggestion,
  }
end

---What the list says about a whole answer: that something is missing from it, and how words were understood.
---@param result table `SearchResult` of docs/protocol.md
---@return string
function M.note(result)
  local parts = {}
  if result.degraded then
    local reason = result.reason ~= vim.NIL and result.reason or nil
    parts[#parts + 1] = reason or ('%d %% of the notes have their meaning yet'):format(math.floor(result.coverage * 100))
  end
  for word, stem in pairs(result.respelled or {}) do
    parts[#parts + 1] = ('%s → %s'):format(word, stem)
  end
  return table.concat(parts, ' · ')
end

---Where an item is, and what it is called: `path:line  Title › Heading`.
---@param item khoj_ls.Item
---@return string
function M.place(item)
  local name = ('%s:%d'):format(item.path, item.lnum)
  local parts = vim.tbl_filter(function(part)
    return part ~= ''
  end, { name, item.heading, item.mark ~= '' and '(' .. item.mark .. ')' or '' })
  return table.concat(parts, '  ')
end

---@param text string
---@return string
function M.one_line(text)
  return (text:gsub('[\n\r\t]+', ' '))
end

---A text in at most so many cells of the screen.
---@param text string
---@param width integer
---@return string
function M.cut(text, width)
  if vim.fn.strdisplaywidth(text) <= width then
    return text
  end
  text = vim.fn.strcharpart(text, 0, width) -- not fewer cells than that: wide characters are cut below
  while vim.fn.strdisplaywidth(text) > width - 1 do
    text = vim.fn.strcharpart(text, 0, vim.fn.strchars(text) - 1)
  end
  return text .. '…'
end

---All of an item on one line, at most so many cells wide.
---@param item khoj_ls.Item
---@param width integer?
---@return string
function M.line(item, width)
  local line = M.one_line(M.place(item) .. (item.text ~= '' and ' — ' .. item.text or ''))
  return width and M.cut(line, width) or line
end

---Show items in the quickfix list.
---@param title string
---@param items khoj_ls.Item[]
function M.to_quickfix(title, items)
  local entries = vim.tbl_map(function(item)
    local parts = vim.tbl_filter(function(part)
      return part ~= ''
    end, { item.heading, item.text })
    return {
      filename = vim.uri_to_fname(item.uri),
      lnum = item.lnum,
      end_lnum = item.end_lnum,
      col = 1,
      text = table.concat(parts, ' — '),
    }
  end, items)
  vim.fn.setqflist({}, ' ', { title = title, items = entries })
  vim.cmd('botright copen')
end

return M
