"""Pixels to the faces in them, and whose they are; may import `media` and below."""
