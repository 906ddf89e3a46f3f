"""Where bytes lie: folders, buckets, names; imports nothing but the nouns below."""
