"""One input: read, find, hide, write; may import `settings` and what is below it."""
