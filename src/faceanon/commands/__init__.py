"""The terminal: one file a subcommand; may import everything but the window's parts."""
