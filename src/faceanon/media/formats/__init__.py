"""One file or folder a format: what libraries do not read or write as it is."""
