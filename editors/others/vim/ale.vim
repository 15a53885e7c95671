" khoj-ls in Vim 8.2.1978 or later by ALE (https://github.com/dense-analysis/ale): source this file from your vimrc, or paste it.
" Where no pack manager loads ALE, put `packadd! ale` in front of it (Debian: the package vim-ale).

" Session settings, as docs/configuration.md lists them: let g:khoj_ls_settings = {'search': {'limit': 20}}
let g:khoj_ls_settings = get(g:, 'khoj_ls_settings', {})

" Vim knows no Org files by itself.
augroup khoj_ls
  autocmd!
  autocmd BufNewFile,BufRead *.org if empty(&filetype) | setfiletype org | endif
augroup END

" The vault of a note: the nearest folder with one of these; else the note's own folder.
function! s:root(buffer) abort
  let l:folder = fnamemodify(bufname(a:buffer), ':p:h')
  let l:above = l:folder
  while 1
    for l:mark in ['.khoj.toml', '.git', '.obsidian', 'logseq', 'dendron.yml']
      if filereadable(l:above . '/' . l:mark) || isdirectory(l:above . '/' . l:mark)
        return l:above
      endif
    endfor
    if l:above ==# fnamemodify(l:above, ':h')
      return l:folder
    endif
    let l:above = fnamemodify(l:above, ':h')
  endwhile
endfunction

" ALE counts bytes in a line and says so to nobody: `positionEncoding` tells the server. Without it, places behind 韭菜 or ü are missed.
for s:type in ['markdown', 'org', 'text']
  call ale#linter#Define(s:type, {
  \ 'name': 'khoj_ls',
  \ 'lsp': 'stdio',
  \ 'executable': 'khoj-ls',
  \ 'command': '%e',
  \ 'project_root': function('s:root'),
  \ 'initialization_options': extend({'positionEncoding': 'utf-8'}, g:khoj_ls_settings),
  \})
endfor

" Keys as Neovim has them by itself, and one to search.
augroup khoj_ls_keys
  autocmd!
  autocmd FileType markdown,org,text setlocal omnifunc=ale#completion#OmniFunc
  autocmd FileType markdown,org,text nnoremap <buffer> K <Cmd>ALEHover<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> gd <Cmd>ALEGoToDefinition<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> grr <Cmd>ALEFindReferences -relative<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> gri <Cmd>ALEGoToImplementation<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> grn <Cmd>ALERename<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> gra <Cmd>ALECodeAction<CR>
  autocmd FileType markdown,org,text xnoremap <buffer> gra :ALECodeAction<CR>
  autocmd FileType markdown,org,text nnoremap <buffer> <Leader>ns :ALESymbolSearch -relative<Space>
augroup END
