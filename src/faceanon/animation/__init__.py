"""Files with several pictures: animations, and TIFF files of several pages.

Frames are read, hidden in and written one after the other, each as a whole picture:
what the file shows stays the same, how its frames build on each other does not.
"""
