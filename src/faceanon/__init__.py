"""Hide the faces in pictures.

    >>> import faceanon
    >>> [name for name in dir(faceanon) if name.islower()]
    ['__version__', 'anonymize', 'detect', 'run']

`detect` and `anonymize` work on single pictures, `run` on folders.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceanon.api import anonymize, detect, run
    from faceanon.errors import FaceanonError, OptionError, PictureError, StorageError
    from faceanon.model import Box, Face
    from faceanon.pipeline.job import Outcome, Status

    __version__: str

__all__ = [
    "Box",
    "Face",
    "FaceanonError",
    "OptionError",
    "Outcome",
    "PictureError",
    "Status",
    "StorageError",
    "__version__",
    "anonymize",
    "detect",
    "run",
]

_HOMES = {
    "api": ("anonymize", "detect", "run"),
    "errors": ("FaceanonError", "OptionError", "PictureError", "StorageError"),
    "pipeline.job": ("Outcome", "Status"),
    "model": ("Box", "Face"),
}


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    # Imported when first used (PEP 562): OpenCV and NumPy take longer to import than
    # `faceanon --help` takes altogether.
    from importlib import import_module, metadata  # noqa: PLC0415

    if name == "__version__":
        return metadata.version("faceanon")
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"faceanon.{home}"), name)
    raise AttributeError(f"module 'faceanon' has no attribute {name!r}")
