"""The command line of `scriptkd`: one module per command."""
