"""How fast it is: figures with their goals, and what `khoj-ls bench` measures on the user's own machine and notes."""
