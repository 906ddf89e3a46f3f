"""HEIC and HEIF, by an extra that brings the libraries."""

from functools import cache

from faceanon.errors import PictureError


@cache
def register() -> None:
    """Let Pillow read and write HEIF.

    Raises:
        PictureError: the extra is not installed.
    """
    try:
        import pillow_heif  # noqa: PLC0415  an extra
    except ImportError as error:
        raise PictureError(
            "it is a HEIC; to read and write those: pip install 'faceanon[heif]'"
        ) from error
    # Its previews and mattes are not even looked at.
    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False
    )
