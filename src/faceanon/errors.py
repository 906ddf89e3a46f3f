"""The errors that faceanon expects and can explain."""


class FaceanonError(Exception):
    """Something a user can understand and mend; its text says what to do."""


class UnavailableError(FaceanonError):
    """What a run needs is taken, or not there, just now; it can be tried again."""


class OptionError(FaceanonError, ValueError):
    """An option has a value that it cannot have."""


class PictureError(FaceanonError):
    """One picture cannot be read, anonymized or written; others are not affected."""


class RefusedError(PictureError):
    """The place of an output does not take it; it may take none at all."""


class StorageError(FaceanonError):
    """Nothing more can be written (disk full, read-only); the run must stop."""


class BoxesError(FaceanonError, ValueError):
    """A box file is not what it should be."""


class PeopleError(FaceanonError):
    """Reference pictures of people, or a file of them, cannot be used."""
