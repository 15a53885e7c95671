--- Colours: links to groups that every colour scheme has, so that light and dark are right by themselves.

local M = {}

local GROUPS = {
  KhojPath = 'Directory',
  KhojHeading = 'Title',
  KhojText = 'Normal',
  KhojMatch = 'Search',
  KhojDim = 'Comment',
  KhojMark = 'Special',
  KhojSelected = 'CursorLine',
  KhojPassage = 'CursorLine',
  KhojCitation = 'Underlined',
  KhojUnsupported = 'DiagnosticUnderlineHint',
  KhojRole = 'Title',
  KhojError = 'DiagnosticError',
  KhojWarning = 'DiagnosticWarn',
}

---Define the groups that are not set by the user or the colour scheme.
function M.define()
  for name, target in pairs(GROUPS) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

return M
