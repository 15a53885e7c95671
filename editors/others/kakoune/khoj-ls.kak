# khoj-ls in Kakoune by kakoune-lsp 18 or later: source this file in your kakrc, behind `eval %sh{kak-lsp}`.

# Kakoune knows no Org files, and no plain text, by themselves.
hook global BufCreate .*[.]org %{ set-option buffer filetype org }
hook global BufCreate .*[.]txt %{ set-option buffer filetype text }

remove-hooks global lsp-filetype-markdown
hook -group lsp-filetype-markdown global BufSetOption filetype=(?:markdown|org|text) %{
    set-option buffer lsp_servers %{
        [khoj-ls]
        root_globs = [".khoj.toml", ".git", ".obsidian", "logseq", "dendron.yml"]
        settings_section = "khoj_ls"
        [khoj-ls.settings.khoj_ls]
        # Session settings, as docs/configuration.md lists them.
        search.limit = 20
    }
}

hook global WinSetOption filetype=(?:markdown|org|text) %{
    lsp-enable-window
    map window user l ': enter-user-mode lsp<ret>' -docstring 'notes: khoj-ls'
    map window user s ': lsp-workspace-symbol-incr<ret>' -docstring 'notes: search'
}
