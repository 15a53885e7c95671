--- What a user can set: with `require('khoj_ls').setup({ ... })`, or as the table `vim.g.khoj_ls`.

local M = {}

---@alias khoj_ls.PickerName 'auto'|'telescope'|'fzf-lua'|'snacks'|'mini'|'window'|'select'

---@class khoj_ls.RelatedOptions
---@field width? integer columns of the side window
---@field limit? integer most notes shown
---@field delay? integer milliseconds that the cursor has to rest before the window follows
---@field position? 'right'|'left'

---@class khoj_ls.ChatOptions
---@field width? integer columns of the chat window
---@field position? 'right'|'left'|'below'|'tab'
---@field persona? string who answers, where the server's own choice is not wanted
---@field model? string `PROVIDER/NAME`, a preset, or `none`

---@class khoj_ls.RestartOptions
---@field delays? integer[] milliseconds before the first, second, ... start in a row of a server that ended by itself; {}: never
---@field settled? integer milliseconds after which a server counts as running well

---@class khoj_ls.Options
---@field vault? string folder of notes that is asked from buffers that are no notes
---@field picker? khoj_ls.PickerName
---@field limit? integer most hits of a search
---@field keymaps? boolean|string true: the default keys below <Leader>n; a text: another prefix; false: none
---@field related? khoj_ls.RelatedOptions
---@field chat? khoj_ls.ChatOptions
---@field restart? khoj_ls.RestartOptions

---@type khoj_ls.Options
M.defaults = {
  vault = nil,
  picker = 'auto',
  limit = 20,
  keymaps = false,
  related = { width = 44, limit = 10, delay = 300, position = 'right' },
  chat = { width = 72, position = 'right', persona = nil, model = nil },
  restart = { delays = { 500, 1000, 2000, 5000, 10000, 30000 }, settled = 60000 },
}

local PICKERS = { 'auto', 'telescope', 'fzf-lua', 'snacks', 'mini', 'window', 'select' }
local POSITIONS = { right = true, left = true, below = true, tab = true }

---@type khoj_ls.Options?
local given

---The options in force: what `setup` was given, else `vim.g.khoj_ls`, over the defaults.
---@return khoj_ls.Options
function M.get()
  local set = given
  if set == nil then
    set = type(vim.g.khoj_ls) == 'table' and vim.g.khoj_ls or {}
  end
  return vim.tbl_deep_extend('force', M.defaults, set)
end

---What is wrong with options, one text each.
---@param options table
---@return string[]
function M.problems(options)
  local wrong = {}
  local function check(name, value, expected)
    local ok, why = pcall(vim.validate, name, value, expected, true)
    if not ok then
      wrong[#wrong + 1] = why
    end
  end
  check('vault', options.vault, 'string')
  check('limit', options.limit, 'number')
  check('keymaps', options.keymaps, { 'boolean', 'string' })
  check('related', options.related, 'table')
  check('chat', options.chat, 'table')
  check('restart', options.restart, 'table')
  if options.picker ~= nil and not vim.tbl_contains(PICKERS, options.picker) then
    wrong[#wrong + 1] = ('picker: %s is none of %s'):format(vim.inspect(options.picker), table.concat(PICKERS, ', '))
  end
  for name, known in pairs({ related = M.defaults.related, chat = M.defaults.chat, restart = M.defaults.restart }) do
    local set = options[name]
    for key, value in pairs(type(set) == 'table' and set or {}) do
      if known[key] == nil and not (name == 'chat' and (key == 'persona' or key == 'model')) then
        wrong[#wrong + 1] = ('%s.%s: there is no such option'):format(name, key)
      elseif key == 'position' and not POSITIONS[value] then
        wrong[#wrong + 1] = ('%s.position: %s is no side'):format(name, vim.inspect(value))
      elseif known[key] ~= nil and type(value) ~= type(known[key]) then
        wrong[#wrong + 1] = ('%s.%s: expected %s, got %s'):format(name, key, type(known[key]), type(value))
      end
    end
  end
  for key in pairs(options) do
    if M.defaults[key] == nil and key ~= 'vault' then
      wrong[#wrong + 1] = ('%s: there is no such option'):format(tostring(key))
    end
  end
  table.sort(wrong)
  return wrong
end

---Take over the user's options in place of all that were set before. Wrong ones are told and left out altogether.
---@param options khoj_ls.Options?
function M.set(options)
  local wrong = M.problems(options or {})
  if #wrong > 0 then
    require('khoj_ls.say').error('setup: ' .. table.concat(wrong, '; '))
    return
  end
  given = options or {}
end

return M
