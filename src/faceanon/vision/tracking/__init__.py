"""Faces from one frame of a film to the next."""
