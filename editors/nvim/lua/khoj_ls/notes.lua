--- Notes of days, and new notes: :KhojDaily and :KhojCapture.

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

return M
