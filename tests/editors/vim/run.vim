" Runs every Test_* function of $TESTS and writes a line of JSON for each to $RESULTS: its name, and what was wrong (empty: nothing).

function! Wait(what, condition) abort
  let l:end = reltimefloat(reltime()) + 30
  while !a:condition()
    if reltimefloat(reltime()) > l:end
      throw a:what . ' never came true; messages: ' . execute('messages')
    endif
    " Messages of the server are handled while Vim sleeps.
    sleep 10m
  endwhile
endfunction

function! s:run(name) abort
  let v:errors = []
  try
    call call(a:name, [])
  catch
    call add(v:errors, v:exception . ' at ' . v:throwpoint)
  endtry
  call writefile([json_encode({'name': a:name, 'errors': v:errors})], $RESULTS, 'a')
  silent! pclose!
  silent! only!
endfunction

execute 'source' fnameescape($TESTS)
for s:name in map(filter(readfile($TESTS), 'v:val =~# "^function! Test_"'), 'matchstr(v:val, "Test_\\w*")')
  call s:run(s:name)
endfor
qall!
