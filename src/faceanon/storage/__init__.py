"""Where bytes lie: folders, buckets, names; may import errors and nouns only."""
