" Shows $NOTE and, where $UNTIL is `hover`, waits for the hover at $LINE; then says `ready`. $SETUP is a file to load.
set nocompatible hidden viminfo= encoding=utf-8
let g:ale_hover_to_preview = 1
if $UNTIL ==# 'hover'
  packadd ale
  filetype plugin on
  execute 'source' fnameescape($SETUP)
else
  filetype plugin on
endif
execute 'edit' fnameescape($NOTE)
call cursor(str2nr($LINE), 3)
if $UNTIL ==# 'hover'
  ALEHover
  let s:begin = reltime()
  while winnr('$') == 1 && reltimefloat(reltime(s:begin)) < 30
    " The server's messages are handled while Vim sleeps.
    sleep 1m
  endwhile
  if winnr('$') == 1
    cquit
  endif
endif
call writefile(['ready'], '/dev/stdout')
qall!
