"""Telling who is who: reference pictures, embeddings, and whom to hide or show.

`references` and `gallery` make a `People` of pictures or of a saved file, `selection`
says which of a picture's faces are to be hidden, and `recognition` looks at the faces.
"""
