" ALE on the example vault: places are found, shown and changed, on lines with letters of many bytes too.

function! s:connection() abort
  return get(filter(values(ale#lsp#GetConnections()), 'v:val.initialized'), 0, {})
endfunction

function! s:open(note) abort
  execute 'edit!' fnameescape($NOTES . '/' . a:note)
  let l:buffer = bufnr('')
  call Wait('the server', {-> !empty(s:connection()) && has_key(s:connection().open_documents, l:buffer)})
endfunction

" Puts the cursor on the first match, where \zs stands in the pattern.
function! s:at(pattern) abort
  call cursor(1, 1)
  call assert_true(search(a:pattern, 'cW') > 0, a:pattern)
endfunction

" The lines of ALE's window with a hover or a list; their places without the vault's folder.
function! s:shown() abort
  for l:window in range(1, winnr('$'))
    if getwinvar(l:window, '&previewwindow') || getwinvar(l:window, '&filetype') =~# '^ale-preview'
      return map(getbufline(winbufnr(l:window), 1, '$'), 'substitute(v:val, "^" . $NOTES . "/", "", "")')
    endif
  endfor
  return []
endfunction

" Where the cursor is, as NOTE:LINE.
function! s:place() abort
  return substitute(expand('%:p'), '^' . $NOTES . '/', '', '') . ':' . line('.')
endfunction

function! Test_connects_to_the_vault_of_the_note() abort
  call s:open('homelab/evenings-without-wifi.md')
  call assert_equal($NOTES, s:connection().root)
endfunction

function! Test_an_org_file_is_one_and_is_served() abort
  call s:open('balkon.org')
  call assert_equal('org', &filetype)
endfunction

function! Test_hover_shows_what_a_link_leads_to() abort
  call s:open('daily/2024-06-09.md')
  call s:at('🎉 → \[\[\zshalf')
  ALEHover
  call Wait('a hover', {-> !empty(s:shown())})
  call assert_equal('Half marathon, 15 September 2024 · #running #plan', s:shown()[0])
  call assert_equal('1 link to it from other notes', s:shown()[-1])
endfunction

function! Test_definition_follows_links_of_both_kinds() abort
  for [l:note, l:link, l:target] in [
  \ ['kitchen/zwiebelkuchen.md', '\[\zsSauerteig', 'kitchen/sourdough.md:12'],
  \ ['kitchen/外婆的饺子.md', '见 \[\[\zsjapan', 'travel/japan-2025.md:1'],
  \ ['bike.org', 'file:\zs', 'projects.org:69'],
  \]
    call s:open(l:note)
    call s:at(l:link)
    ALEGoToDefinition
    call Wait(l:target, {-> s:place() ==# l:target})
  endfor
endfunction

function! Test_references_are_backlinks() abort
  call s:open('kitchen/sourdough.md')
  call s:at('^## \zsHildegard')
  ALEFindReferences
  call Wait('a list', {-> !empty(s:shown())})
  call assert_equal(['inbox.md:7', 'kitchen/starter-on-holiday.md:3', 'kitchen/zwiebelkuchen.md:15'],
  \ sort(map(s:shown(), 'matchstr(v:val, "^[^:]*:\\d*")')))
endfunction

function! Test_search_finds_by_meaning() abort
  call s:open('balkon.org')
  ALESymbolSearch how did I fix the router
  call Wait('a list', {-> !empty(s:shown())})
  call assert_match('^homelab/evenings-without-wifi.md:35:1 How I repaired it', s:shown()[0])
endfunction

function! Test_implementation_goes_to_the_most_related_note() abort
  call s:open('notes/zero-inflation.org')
  call s:at('^#+title: \zs')
  ALEGoToImplementation
  call Wait('another note', {-> s:place() =~# 'nocturnal-migration.md'})
endfunction

" What completion offers behind a text at the end of the note, as Vim shows it; the text is taken away again.
function! s:offered(text) abort
  let l:offered = []
  function! s:look(timer) closure
    call extend(l:offered, complete_info(['items']).items)
    if !empty(l:offered)
      call timer_stop(a:timer)
      call feedkeys("\<Esc>", 't')
    endif
  endfunction
  call timer_start(20, function('s:look'), {'repeat': -1})
  call feedkeys('Go' . a:text . "\<C-x>\<C-o>", 'tx!')
  edit!
  return map(l:offered, 'v:val.word')
endfunction

function! Test_completion_offers_notes_and_headings() abort
  call s:open('inbox.md')
  call assert_equal(['zwiebelkuchen|Omas Zwiebelkuchen]]'], s:offered('🎉 see [[zwie'))
  call assert_equal(['Hildegard]]'], s:offered('🎉 see [[sourdough#Hi'))
endfunction

function! Test_rename_leads_the_links_on() abort
  call s:open('kitchen/sourdough.md')
  call s:at('^## \zsHildegard')
  call feedkeys(":ALERename\<CR>\<C-u>Hildegard 🍞\<CR>", 'tx')
  call Wait('the new name', {-> getline('.') ==# '## Hildegard 🍞'})
  call Wait('a changed link', {-> bufnr('inbox.md') > 0})
  call assert_match('\[\[sourdough#Hildegard 🍞\]\]$', getbufline(bufnr('inbox.md'), 7)[0])
  call assert_match(' → \[\[sourdough#Hildegard 🍞\]\]$', getbufline(bufnr('starter-on-holiday.md'), 3)[0])
  %bwipeout!
endfunction

function! Test_a_broken_link_is_a_problem_and_can_be_mended() abort
  call s:open('daily/2024-06-09.md')
  call append(line('$'), '🎉 see [[half-maraton-2024]]')
  doautocmd TextChanged
  call Wait('a problem', {-> !empty(getloclist(0))})
  let l:problem = getloclist(0)[0]
  call assert_equal([15, 10, 'W'], [l:problem.lnum, l:problem.col, l:problem.type])
  call cursor(15, 14)
  " ALE asks for the number of an action once the server has answered.
  ALECodeAction
  call feedkeys("1\<CR>", 't')
  call Wait('the right link', {-> getline(15) ==# '🎉 see [[half-marathon-2024]]'})
  edit!
endfunction

function! Test_a_server_that_was_killed_is_started_again() abort
  call s:open('kitchen/sourdough.md')
  let l:before = s:connection().job_id
  for l:job in filter(job_info(), {_, job -> job_status(job) ==# 'run'})
    call job_stop(l:job, 'kill')
  endfor
  call Wait('the end', {-> empty(s:connection())})
  call s:open('kitchen/zwiebelkuchen.md')
  call assert_notequal(l:before, s:connection().job_id)
  call s:at('\[\zsSauerteig')
  ALEGoToDefinition
  call Wait('the target', {-> s:place() ==# 'kitchen/sourdough.md:12'})
endfunction
