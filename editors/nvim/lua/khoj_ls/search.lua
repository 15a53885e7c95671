--- :KhojSearch

local items = require('khoj_ls.items')
local picker = require('khoj_ls.picker')
local say = require('khoj_ls.say')
local server = require('khoj_ls.server')

local M = {}

---@class khoj_ls.SearchOptions
---@field query? string asked as it stands; without it the list follows what is typed
---@field quickfix? boolean
---@field within? string[] only these notes and folders
---@field title? string
---@field choose? fun(item: khoj_ls.Item, how: khoj_ls.How)

---@param query string
---@param options { typing: boolean, within: string[]?, bufnr: integer }
---@param done fun(failure: khoj_ls.Failure?, found: khoj_ls.Item[], note: string)
---@return fun() cancel
function M.find(query, options, done)
  local params = {
    query = query,
    limit = require('khoj_ls.options').get().limit,
    prefix = options.typing,
    within = options.within,
  }
  return server.request('khoj/search', params, { bufnr = options.bufnr }, function(failure, result)
    if failure then
      done(failure, {}, failure.message)
    else
      done(nil, vim.tbl_map(items.of_hit, result.hits), items.note(result))
    end
  end)
end

---Ways to go on with a query, as khoj/completeQuery tells them.
---@param query string
---@param offset integer the caret, in characters
---@param done fun(completions: table[])
function M.complete(query, offset, done)
  server.request('khoj/completeQuery', { query = query, offset = offset }, {}, function(failure, result)
    done(failure and {} or result.completions)
  end)
end

---Search the notes: as you type, or for a query that is given.
---@param options khoj_ls.SearchOptions?
function M.search(options)
  options = options or {}
  local bufnr = vim.api.nvim_get_current_buf()
  if not options.query or options.query == '' then
    picker.pick({
      title = options.title or 'Search notes',
      choose = options.choose,
      complete = M.complete,
      find = function(query, done)
        if vim.trim(query) == '' then
          done({}, '')
          return function() end
        end
        return M.find(query, { typing = true, within = options.within, bufnr = bufnr }, function(_, found, note)
          done(found, note)
        end)
      end,
    })
    return
  end
  M.find(options.query, { typing = false, within = options.within, bufnr = bufnr }, function(failure, found, note)
    if failure then
      return say.failure(failure)
    end
    local title = note ~= '' and ('%s (%s)'):format(options.query, note) or options.query
    if options.choose then
      picker.pick({ title = title, items = found, choose = options.choose })
    else
      local empty = note ~= '' and ('%s (%s)'):format(say.NO_HITS, note) or say.NO_HITS
      picker.list(title, found, options.quickfix or false, empty)
    end
  end)
end

return M
