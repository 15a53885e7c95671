"""What `khoj-ls chat` is made of: a turn and its events, how they are drawn, a conversation at the terminal."""
