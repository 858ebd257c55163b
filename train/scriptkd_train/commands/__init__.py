"""The command line of `scriptkd`: one file a command."""
