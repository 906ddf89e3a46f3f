"""After the run: `verify`, over `batch` and what is below, and `scan`, on its own."""
