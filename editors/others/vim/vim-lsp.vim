" khoj-ls in Vim 8.1.1364 or later by vim-lsp (https://github.com/prabirshrestha/vim-lsp): source this file from your vimrc, or paste it.

" Session settings, as docs/configuration.md lists them: let g:khoj_ls_settings = {'search': {'limit': 20}}
let g:khoj_ls_settings = get(g:, 'khoj_ls_settings', {})

augroup khoj_ls
  autocmd!
  " Vim knows no Org files by itself.
  autocmd BufNewFile,BufRead *.org if empty(&filetype) | setfiletype org | endif
  autocmd User lsp_setup call lsp#register_server({
  \ 'name': 'khoj-ls',
  \ 'cmd': {_ -> ['khoj-ls']},
  \ 'root_uri': {_ -> lsp#utils#path_to_uri(lsp#utils#find_nearest_parent_file_directory(
  \   lsp#utils#get_buffer_path(), ['.khoj.toml', '.git/', '.obsidian/', 'logseq/', 'dendron.yml']))},
  \ 'allowlist': ['markdown', 'org', 'text'],
  \ 'initialization_options': g:khoj_ls_settings,
  \ 'workspace_config': {'khoj_ls': g:khoj_ls_settings},
  \})
  autocmd User lsp_buffer_enabled call s:keys()
augroup END

function! s:keys() abort
  if index(lsp#get_allowed_servers(), 'khoj-ls') < 0
    return
  endif
  setlocal omnifunc=lsp#complete
  nmap <buffer> K <Plug>(lsp-hover)
  nmap <buffer> gd <Plug>(lsp-definition)
  nmap <buffer> grr <Plug>(lsp-references)
  nmap <buffer> gri <Plug>(lsp-implementation)
  nmap <buffer> grn <Plug>(lsp-rename)
  nmap <buffer> gra <Plug>(lsp-code-action)
  xmap <buffer> gra <Plug>(lsp-code-action)
  nmap <buffer> <Leader>ns <Plug>(lsp-workspace-symbol-search)
  nmap <buffer> grx <Plug>(lsp-code-lens)
endfunction
