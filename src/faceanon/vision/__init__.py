"""Pixels to what is in them: faces, whose they are, and their points."""
