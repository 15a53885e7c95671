--- Backlinks and other links of a note, and writing links.

local items = require('khoj_ls.items')
local picker = require('khoj_ls.picker')
local region = require('khoj_ls.region')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---@alias khoj_ls.LinkKind 'incoming'|'outgoing'|'mentions'|'here'

---What :KhojBacklinks can be told to list instead.
---@type khoj_ls.LinkKind[]
M.KINDS = { 'incoming', 'outgoing', 'mentions', 'here' }

---What the lists are called, and what is said where one is empty.
---@type table<khoj_ls.LinkKind, { [1]: string, [2]: string }>
local NAMES = {
  incoming = { 'Links to this note', say.NO_BACKLINKS },
  outgoing = { 'Links in this note', 'This note links nowhere' },
  mentions = { 'Mentions of this note', 'No note names this one without linking to it' },
  here = { 'Links to this section', 'No note links to this section' },
}

---Why a buffer is no note of which links could be told or written, if it is none.
---@param bufnr integer
---@return string?
local function no_note(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if server.is_remote(name) then
    return name .. ' is not a file on this machine'
  elseif name == '' or vim.bo[bufnr].buftype ~= '' then
    return 'this buffer is no note: it has no file'
  end
end

---Why a note cannot be edited, if it cannot.
---@param bufnr integer
---@return string?
function M.not_writable(bufnr)
  local why = no_note(bufnr)
  if why then
    return why
  elseif not vim.bo[bufnr].modifiable or vim.bo[bufnr].readonly then
    return 'this note is read-only'
  elseif not server.attached(bufnr) and vim.bo[bufnr].modified then
    return "the server does not see this buffer: save it first, or have it attached (vim.lsp.enable('khoj_ls'))"
  end
end

---The folder of the vault that a client answers from, to show paths in it.
---@param client vim.lsp.Client?
---@return string?
local function root(client)
  return client and client.root_dir
end

---List the links to the current note, or others of its links.
---@param options { kind: khoj_ls.LinkKind?, quickfix: boolean? }?
function M.backlinks(options)
  options = options or {}
  local kind = options.kind or 'incoming'
  local bufnr, win = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_win()
  local why = no_note(bufnr)
  if why then
    return say.warn(why)
  end
  server.request('khoj/links', function(client)
    return {
      textDocument = region.document(bufnr),
      position = kind == 'here' and region.cursor(client, win) or nil,
      direction = kind == 'here' and 'incoming' or kind,
    }
  end, { bufnr = bufnr }, function(failure, result, client)
    if failure then
      return say.failure(failure)
    end
    local found = vim.tbl_map(function(link)
      return items.of_link(link, root(client))
    end, result[kind == 'here' and 'incoming' or kind])
    picker.list(NAMES[kind][1], found, options.quickfix or false, NAMES[kind][2])
  end)
end

---@class khoj_ls.Spot
---@field bufnr integer
---@field at integer[] where the cursor was: {line, byte column}, 0-based
---@field region khoj_ls.Region? words that become the label

---What names a place to the server: the words, or else the caret.
---@param client vim.lsp.Client
---@param spot khoj_ls.Spot
---@return { textDocument: lsp.TextDocumentIdentifier, position: lsp.Position?, range: lsp.Range? }
local function place(client, spot)
  return {
    textDocument = region.document(spot.bufnr),
    position = not spot.region and region.position(client, spot.bufnr, spot.at) or nil,
    range = spot.region and region.range(client, spot.region) or nil,
  }
end

---Have the server write a link at a place.
---@param spot khoj_ls.Spot
---@param item khoj_ls.Item
---@param to_heading boolean
local function write(spot, item, to_heading)
  server.request('khoj/insertLink', function(client)
    local outline = item.hit and item.hit.outline or {}
    local heading = to_heading and outline[#outline] or nil
    return vim.tbl_extend('error', place(client, spot), { target = item.uri, heading = heading })
  end, { bufnr = spot.bufnr }, function(failure)
    if failure then
      say.failure(failure)
    end
  end)
end

---The notes that belong linked at a place, as items.
---@param spot khoj_ls.Spot
---@param done fun(found: khoj_ls.Item[], note: string)
---@return fun() cancel
local function suggestions(spot, done)
  return server.request('khoj/suggestLinks', function(client)
    return vim.tbl_extend('error', place(client, spot), { limit = 10 })
  end, { bufnr = spot.bufnr }, function(failure, result, client)
    if failure then
      return done({}, failure.message)
    end
    done(
      vim.tbl_map(function(each)
        return items.of_suggestion(each, root(client))
      end, result.suggestions),
      'suggested for this place'
    )
  end)
end

---@class khoj_ls.LinkOptions
---@field query? string words of the note's title, or what it is about
---@field region? khoj_ls.Region words that become the label
---@field heading? boolean link to the heading that was found, not to the note as a whole

---Insert a link to another note at the cursor, or make a link of selected words. Without a query the list begins with what
---the server suggests for the place, and then follows what is typed.
---@param options khoj_ls.LinkOptions?
function M.insert(options)
  options = options or {}
  local spot = {
    bufnr = vim.api.nvim_get_current_buf(),
    at = region.caret(vim.api.nvim_get_current_win()),
    region = options.region,
  }
  local why = M.not_writable(spot.bufnr)
  if why then
    return say.warn(why)
  end
  local search = require('khoj_ls.search')
  local function choose(item)
    write(spot, item, options.heading or false)
  end
  if options.query and options.query ~= '' then
    return search.search({ query = options.query, choose = choose, title = 'Link to' })
  end
  picker.pick({
    title = 'Link to',
    choose = choose,
    complete = search.complete,
    find = function(query, done)
      if vim.trim(query) == '' then
        return suggestions(spot, done)
      end
      return search.find(query, { typing = true, bufnr = spot.bufnr }, function(_, found, note)
        done(found, note)
      end)
    end,
  })
end

---Link from the cursor of the current note to an item that is known.
---@param item khoj_ls.Item
function M.insert_to(item)
  local bufnr = vim.api.nvim_get_current_buf()
  local why = M.not_writable(bufnr)
  if why then
    return say.warn(why)
  end
  write({ bufnr = bufnr, at = region.caret(vim.api.nvim_get_current_win()) }, item, false)
end

---For `vim.lsp.config`: the places that a lens counts, in the quickfix window.
---@param arguments any[] uri, position, locations
---@param context { client_id: integer }
function M.show_references(arguments, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local locations = arguments and arguments[3] or {}
  local entries = vim.lsp.util.locations_to_items(locations, client and client.offset_encoding or 'utf-16')
  vim.fn.setqflist({}, ' ', { title = 'Links to here', items = entries })
  vim.cmd('botright copen')
end

return M
