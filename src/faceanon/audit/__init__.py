"""After the run: `verify` and `scan`; knows nothing of how outputs are made."""
