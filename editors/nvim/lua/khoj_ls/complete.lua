--- Completion on the command line. Nothing is started for it: without a server there is none.

local M = {}

local PATIENCE = 300 -- milliseconds that typing may be held up

---What has been typed of a command's arguments, with the place where the word at the cursor begins in it.
---@param lead string
---@param line string
---@param position integer bytes before the cursor
---@return string typed
---@return integer start bytes
local function typed_of(lead, line, position)
  local before = line:sub(1, position)
  local command = vim.api.nvim_parse_cmd(before, {})
  local from = before:find(command.cmd, 1, true) + #command.cmd
  local typed = before:sub(from):gsub('^!?%s+', '')
  return typed, #typed - #lead
end

---A query going on: names of filters and their values, as the server knows them. The command line puts a candidate in the place
---of the word at the cursor, so what the server would put elsewhere is cut or led up to.
---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.query(lead, line, position)
  local ok, typed, start = pcall(typed_of, lead, line, position)
  if not ok then
    return {}
  end
  local result = require('khoj_ls.server').request_now('khoj/completeQuery', { query = typed }, PATIENCE)
  local words = {}
  for _, each in ipairs(result and result.completions or {}) do
    local begin = vim.str_byteindex(typed, 'utf-32', each.start, false)
    if begin >= start then
      words[#words + 1] = typed:sub(start + 1, begin) .. each.text
    elseif vim.startswith(each.text, typed:sub(begin + 1, start)) then
      words[#words + 1] = each.text:sub(start - begin + 1)
    end
  end
  return words
end

---@param words string[]
---@param lead string
---@return string[]
local function beginning(words, lead)
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
end

---@param lead string
---@return string[]
function M.link_kinds(lead)
  return beginning(require('khoj_ls.links').KINDS, lead)
end

---@param lead string
---@return string[]
function M.days(lead)
  return beginning({
    'today',
    'previous',
    'next',
    os.date('%Y-%m-%d') --[[@as string]],
  }, lead)
end

---@param lead string
---@return string[]
function M.personas(lead)
  return require('khoj_ls.chat.choices').names('personas', lead)
end

---@param lead string
---@return string[]
function M.models(lead)
  return require('khoj_ls.chat.choices').names('models', lead)
end

return M
