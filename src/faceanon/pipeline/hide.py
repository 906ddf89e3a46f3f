"""Hiding the faces of an image by the method that was asked for."""

from collections.abc import Sequence

import numpy as np

from faceanon.errors import PictureError
from faceanon.model import Face, Image
from faceanon.settings import Settings


def hide_faces(
    image: Image,
    faces: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
) -> Image:
    """A copy of an image with these faces hidden.

    Raises:
        PictureError: they cannot be hidden in this way.
    """
    assert settings.anonymizer is not None, "these settings are not for hiding"
    hidden = settings.anonymizer.hide(image, faces, settings.cover, rng)
    if hidden.shape != image.shape or hidden.dtype != image.dtype:
        # A plug-in's mistake must not become a picture of another size or depth.
        raise PictureError(
            f"the method {settings.method} made {hidden.dtype} {hidden.shape} of "
            f"{image.dtype} {image.shape}; tell its author"
        )
    return hidden
