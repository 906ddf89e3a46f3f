"""Pixels to the bytes of a format and back, one module each; imports no other room."""
