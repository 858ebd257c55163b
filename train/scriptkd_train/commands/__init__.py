"""The command line of `scriptkd`: one module per command, and `arguments` with the checks that several make."""
