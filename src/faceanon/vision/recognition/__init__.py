"""Whose face it is: quality, embeddings, people by reference pictures or without names.

`enrolment` and `gallery` make `People` of pictures or of a saved file. `selection` says
which of them are to be hidden, and `matching` compares the faces of a picture with
them. `identities` tells people apart who have no names.
"""
