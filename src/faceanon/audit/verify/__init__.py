"""Auditing a finished run: can what was to be hidden still be told from the outputs?

`pairing` finds the output of each input, `audit` looks at one pair, `similarity` at one
face, `figures` at the faces of all pictures together, and `page` shows what was found.
Nothing here depends on how the outputs were made, or by what.
"""
