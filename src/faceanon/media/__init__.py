"""Files to frames and back; knows no faces, and imports `storage` and below only."""
