"""JPEG: decoded as far as is asked for, written with its own blocks where it can."""
