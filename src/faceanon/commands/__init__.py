"""The terminal, one file a subcommand; of window and page it opens the doors only."""
