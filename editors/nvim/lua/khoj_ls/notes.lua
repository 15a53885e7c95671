--- Notes of days, and new notes: :KhojDaily and :KhojCapture.

local jump = require('khoj_ls.jump')
local region = require('khoj_ls.region')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---Show what was made. The server has it shown itself; this is for a note that it could not.
---@param failure khoj_ls.Failure?
---@param result table `NoteEditResult` of docs/protocol.md
---@param client vim.lsp.Client?
local function shown(failure, result, client)
  if failure then
    return say.failure(failure)
  end
  if not result.applied and type(result.edit) == 'table' and client then
    vim.lsp.util.apply_workspace_edit(result.edit, client.offset_encoding)
  end
  if type(result.uri) == 'string' and vim.uri_from_bufnr(0) ~= result.uri then
    jump.open(result.uri, type(result.position) == 'table' and result.position.line + 1 or 1)
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
  server.request('khoj/daily', params, {}, shown)
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
    end, { bufnr = bufnr }, shown)
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
