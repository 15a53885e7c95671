"""The contract: the khoj/* requests, results and notifications as plain values, shared by every face of the program."""
