"""Faces from one frame to the next."""
