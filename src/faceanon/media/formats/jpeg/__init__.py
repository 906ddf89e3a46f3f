"""JPEGs that stay as their camera wrote them, but for the blocks of hidden faces."""
