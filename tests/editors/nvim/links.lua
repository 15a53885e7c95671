-- :KhojBacklinks and :KhojLink.

local t = dofile(vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2)) .. '/harness.lua')
t.load()
vim.lsp.enable('khoj_ls')
require('khoj_ls').setup({ picker = 'select' })

---Write a note and attach it; wait until links in it are known.
---@param name string
---@param lines string[]
---@return integer bufnr
local function note(name, lines)
  t.write(name, lines)
  return (t.attach(name))
end

---Take the note about the evenings from what is offered: notes of these cases may be found, too.
local function take_the_evenings()
  t.select(function(lines)
    for index, line in ipairs(lines) do
      if vim.startswith(line, 'homelab/evenings-without-wifi.md:') then
        return index
      end
    end
  end)
end

---@param text string
local function wait_text(text)
  t.wait(function()
    return t.text():find(text, 1, true)
  end, text)
end

t.case('backlinks are listed, and one is opened at its line', function()
  t.attach('homelab/evenings-without-wifi.md')
  local offered
  t.select(function(lines)
    offered = lines
    return 1
  end)
  vim.cmd.KhojBacklinks()
  t.wait(function()
    return t.place() ~= 'homelab/evenings-without-wifi.md:1'
  end, 'the first one')
  t.eq(t.place(), offered[1]:match('^%S+'))
  t.has(vim.api.nvim_get_current_line(), 'evenings-without-wifi')
end)

t.case('rows are text without markup; without any that is said', function()
  t.write('marked.md', { '# Marked', '', 'So **loud**, as in [the evening](homelab/evenings-without-wifi.md) of `May`.' })
  local _, client = t.attach('marked.md')
  t.attach('homelab/evenings-without-wifi.md')
  local params = { textDocument = { uri = vim.uri_from_bufnr(0) }, direction = 'incoming' }
  t.wait(function()
    return vim.iter(t.ask(client, 'khoj/links', params).incoming):any(function(link)
      return link.uri:find('marked.md', 1, true)
    end)
  end, 'the link is known')
  local offered
  t.select(function(lines)
    offered = table.concat(lines, '\n')
  end)
  vim.cmd.KhojBacklinks()
  t.wait(function()
    return offered
  end)
  t.has(offered, 'So loud, as in the evening of May.')
  t.attach('marked.md')
  vim.cmd.KhojBacklinks()
  t.wait_told('khoj-ls: No note links here')
end)

t.case('outgoing links fill the quickfix list', function()
  t.attach('daily/2024-05-03.md')
  vim.cmd('KhojBacklinks! outgoing')
  local list = t.wait(function()
    local found = vim.fn.getqflist({ title = 0, items = 0 })
    return found.title == 'Links in this note' and found.items
  end)
  assert(#list > 0)
  vim.cmd.cclose()
end)

t.case('links to the section alone', function()
  t.attach('homelab/evenings-without-wifi.md')
  t.cursor_on('How I repaired it')
  local offered
  t.select(function(lines)
    offered = lines
  end)
  vim.cmd.KhojBacklinks('here')
  t.wait(function()
    return offered
  end)
  t.eq(2, #offered)
end)

t.case('a note without links says so; a wrong kind and a buffer without a file, too', function()
  t.attach('kitchen/sourdough.md')
  vim.cmd.KhojBacklinks('sideways')
  t.wait_told('sideways is none of')
  vim.cmd.enew()
  vim.cmd.KhojBacklinks()
  t.wait_told('this buffer is no note')
  vim.cmd.file('scp://host/notes/a.md')
  vim.cmd.KhojLink('router')
  t.wait_told('scp://host/notes/a.md is not a file on this machine')
  vim.cmd('bwipeout!')
end)

t.case('a link is written where the caret was, in Markdown, behind emoji and CJK', function()
  note('link-here.md', { '# 外婆 🦉', '', '🦉🦉 韭菜: .' })
  t.cursor_on('.')
  take_the_evenings()
  vim.cmd.KhojLink('how did I fix the router')
  wait_text('🦉🦉 韭菜: [[evenings-without-wifi')
  t.has(t.text(), ']].')
end)

t.case('a bang links to the heading that was found', function()
  note('link-heading.md', { '# A', '', 'See .' })
  t.cursor_on('.')
  take_the_evenings()
  vim.cmd('KhojLink! how did I fix the router')
  wait_text('#How I repaired it')
end)

t.case('selected words become the label, in Org', function()
  note('link-here.org', { '* Heading', '', 'The 外婆 router broke.' })
  vim.bo.filetype = 'org'
  t.cursor_on('router')
  vim.cmd.normal('viw\27')
  take_the_evenings()
  vim.cmd("'<,'>KhojLink how did I fix the router")
  wait_text('The 外婆 [[file:homelab/evenings-without-wifi.md][router]] broke.')
end)

t.case('what is suggested for the place comes first, as long as nothing is typed', function()
  note('link-suggest.md', { '# Wifi', '', 'My evenings without Wi-Fi were long.' })
  t.cursor_on('evenings')
  local pick = require('khoj_ls.picker').pick
  local offered
  require('khoj_ls.picker').pick = function(spec)
    spec.find('', function(found, remark)
      offered = { found, remark }
    end)
  end
  vim.cmd.KhojLink()
  t.wait(function()
    return offered
  end)
  require('khoj_ls.picker').pick = pick
  t.eq('Evenings without Wi-Fi', offered[1][1].heading)
  t.eq('suggested for this place', offered[2])
end)

t.case('a read-only note is refused', function()
  t.attach('index.md')
  vim.bo.readonly = true
  vim.cmd.KhojLink('router')
  t.wait_told('this note is read-only')
  vim.bo.readonly = false
end)

t.finish()
