--- What the commands do, by their names. plugin/khoj_ls.lua defines them.

local M = {}

---@param command vim.api.keyset.create_user_command.command_args
---@return khoj_ls.Region?
local function region(command)
  return require('khoj_ls.region').of_command(command)
end

---@type table<string, fun(command: vim.api.keyset.create_user_command.command_args)>
M.run = {
  KhojSearch = function(command)
    require('khoj_ls.search').search({ query = command.args, quickfix = command.bang })
  end,
  KhojRelated = function(command)
    if command.range > 0 or command.bang then
      require('khoj_ls.related').list({ region = region(command), quickfix = command.bang })
    else
      require('khoj_ls.related').toggle()
    end
  end,
  KhojBacklinks = function(command)
    local kind = command.args ~= '' and command.args or 'incoming'
    if not vim.tbl_contains(require('khoj_ls.links').KINDS, kind) then
      return require('khoj_ls.say').error(kind .. ' is none of ' .. table.concat(require('khoj_ls.links').KINDS, ', '))
    end
    require('khoj_ls.links').backlinks({ kind = kind, quickfix = command.bang })
  end,
  KhojLink = function(command)
    require('khoj_ls.links').insert({ query = command.args, region = region(command), heading = command.bang })
  end,
  KhojChat = function(command)
    require('khoj_ls.chat').open({ message = command.args, region = region(command), new = command.bang })
  end,
  KhojAsk = function(command)
    require('khoj_ls.chat').ask({ message = command.args, region = region(command) })
  end,
  KhojChatStop = function()
    require('khoj_ls.chat').stop()
  end,
  KhojChatRetry = function()
    require('khoj_ls.chat').retry()
  end,
  KhojChatPersona = function(command)
    require('khoj_ls.chat.choices').persona(command.args)
  end,
  KhojChatModel = function(command)
    require('khoj_ls.chat.choices').model(command.args)
  end,
  KhojChatRename = function(command)
    require('khoj_ls.chat.kept').rename(command.args)
  end,
  KhojChatDelete = function()
    require('khoj_ls.chat.kept').delete()
  end,
  KhojChatExport = function(command)
    require('khoj_ls.chat.kept').export(command.args)
  end,
  KhojConversations = function(command)
    require('khoj_ls.chat.kept').choose(command.args)
  end,
  KhojDaily = function(command)
    require('khoj_ls.notes').daily(command.args)
  end,
  KhojCapture = function(command)
    require('khoj_ls.notes').capture({ title = command.args, region = region(command) })
  end,
  KhojRefile = function(command)
    require('khoj_ls.notes').refile({ query = command.args })
  end,
  KhojMenu = function(command)
    require('khoj_ls.menu').show(command.range == 2 and { command.line1, command.line2 } or nil)
  end,
  KhojStatus = function()
    require('khoj_ls.status').show()
  end,
  KhojReindex = function(command)
    require('khoj_ls.status').reindex(command.bang)
  end,
  KhojPause = function()
    require('khoj_ls.status').pause(true)
  end,
  KhojResume = function()
    require('khoj_ls.status').pause(false)
  end,
  KhojWhy = function()
    require('khoj_ls.status').why()
  end,
  KhojRestart = function()
    require('khoj_ls.restart').restart()
  end,
}

return M
