"""What README's figures come from: each module prints a table and can be run alone."""
