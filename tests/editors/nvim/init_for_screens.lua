-- The configuration of the Neovim whose screen is captured: what README tells to write, and nothing that moves.

vim.o.termguicolors = true
vim.o.background = os.getenv('KHOJ_LS_BACKGROUND') or 'dark'
vim.o.shortmess = vim.o.shortmess .. 'I'
vim.o.swapfile = false
vim.o.laststatus = 3
vim.o.cmdheight = 1
vim.o.statusline = "%f %h%m%r%=%{%v:lua.require'khoj_ls'.statusline()%} %l,%c"
vim.g.mapleader = ' '
vim.g.maplocalleader = ','

vim.lsp.enable('khoj_ls')
require('khoj_ls').setup({ keymaps = true, chat = { width = 58 } })
