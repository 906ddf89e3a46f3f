"""Dataset files: WebDataset tar and Parquet, each holding many pictures."""
