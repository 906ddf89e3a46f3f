"""What terminal, window and Python share: from values to settings and plans."""
