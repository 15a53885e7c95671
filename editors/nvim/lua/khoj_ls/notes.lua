--- Notes of days, new notes, and sections that move: :KhojDaily, :KhojCapture and :KhojRefile.

local region = require('khoj_ls.region')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---The server has the edit made and the note shown; there is nothing to do but to say what went wrong.
---@param failure khoj_ls.Failure?
local function made(failure)
  if failure then
    say.failure(failure)
  end
end

---The current note, where it is one of a vault that is known.
---@return lsp.TextDocumentIdentifier?
local function document()
  local bufnr = vim.api.nvim_get_current_buf()
  return server.attached(bufnr) and region.document(bufnr) or nil
end

---Open the note of a day: `today`, `previous`, `next`, or a date like `2024-05-01`.
---@param day string?
function M.daily(day)
  local params = { day = day and day ~= '' and day or 'today', textDocument = document() }
  server.request('khoj/daily', params, {}, made)
end

---Make a note: of a title, or of selected words, where a link to it is left.
---@param options { title: string?, region: khoj_ls.Region? }
function M.capture(options)
  local bufnr = vim.api.nvim_get_current_buf()
  local chosen, known = options.region, document()
  local text = chosen and not known and region.text(chosen) or ''
  local function make(title)
    if title == '' and not chosen then
      return
    end
    server.request('khoj/capture', function(client)
      return {
        title = title,
        text = text,
        textDocument = known,
        range = chosen and known and region.range(client, chosen) or nil,
      }
    end, { bufnr = bufnr }, made)
  end
  if options.title and options.title ~= '' then
    make(options.title)
  elseif chosen then
    make('') -- its first words become the title
  else
    vim.ui.input({ prompt = 'Title of the new note: ' }, function(title)
      make(title and vim.trim(title) or '')
    end)
  end
end

---Hits that a section of a note can go to: those of the note's own format.
---@param bufnr integer
---@param found khoj_ls.Item[]
---@return khoj_ls.Item[]
local function of_format(bufnr, found)
  local wanted = vim.bo[bufnr].filetype
  return vim.tbl_filter(function(item)
    return item.hit.type == wanted
  end, found)
end

---Move the section at the cursor to another note, or below a heading of it; links in it and to it are led on. The list begins
---with notes like the section, and then follows what is typed.
---@param options { query: string? }
function M.refile(options)
  local bufnr, win = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_win()
  local why = require('khoj_ls.links').not_writable(bufnr)
  if why then
    return say.warn(why)
  end
  local at = region.caret(win)
  local search = require('khoj_ls.search')
  local items = require('khoj_ls.items')
  local function choose(item)
    local outline = item.hit.outline
    local heading = outline[#outline]
    server.request('khoj/refile', function(client)
      return {
        textDocument = region.document(bufnr),
        position = region.position(client, bufnr, at),
        target = item.uri,
        heading = heading ~= item.heading and heading or nil, -- the title alone stands for the note
      }
    end, { bufnr = bufnr }, made)
  end
  local function like_it(done)
    return server.request('khoj/related', function(client)
      return { textDocument = region.document(bufnr), position = region.position(client, bufnr, at), limit = 30 }
    end, { bufnr = bufnr }, function(failure, result)
      if failure then
        return done({}, failure.message)
      end
      done(of_format(bufnr, vim.tbl_map(items.of_hit, result.hits)), items.note(result))
    end)
  end
  require('khoj_ls.picker').pick({
    title = 'Move this section to',
    query = options.query,
    choose = choose,
    complete = search.complete,
    find = function(query, done)
      if vim.trim(query) == '' then
        return like_it(done)
      end
      return search.find(query, { typing = true, bufnr = bufnr }, function(_, found, note)
        done(of_format(bufnr, found), note)
      end)
    end,
  })
end

return M
