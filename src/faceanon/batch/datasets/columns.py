"""Which columns of a Parquet file hold pictures.

Hugging Face data sets say so in the metadata of the schema, and store a picture as a
struct of its bytes and its path. Bytes of which nobody says what they are are looked at
one by one; where they lie so deep that they cannot be, the file is refused.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from faceanon.batch.datasets.magic import HEAD, may_show_faces
from faceanon.errors import PictureError
from faceanon.storage.names import shown

_BYTES, _PATH = "bytes", "path"


@dataclass(frozen=True, slots=True)
class PictureColumn:
    """A column with pictures in it.

    Attributes:
        index: which column.
        name: its name.
        type: its Arrow type: bytes, or a struct with a field of that name.
        is_declared: whether all of it are pictures, and not only what looks like one.
    """

    index: int
    name: str
    type: Any
    is_declared: bool

    @property
    def _is_struct(self) -> bool:
        return not _is_bytes(self.type)

    def data(self, value: Any) -> bytes | None:
        """The picture in a cell; None for a cell that holds none.

        Raises:
            PictureError: the cell tells of a picture that is not in it.
        """
        path = None
        if self._is_struct and value is not None:
            value, path = value[_BYTES], value.get(_PATH)
        if value is None:
            if path and self.is_declared:
                raise PictureError(
                    f"it is not in the dataset, but in a file ({shown(path)}); put the "
                    "files' bytes into the dataset"
                )
            return None
        is_picture = self.is_declared or may_show_faces(value[:HEAD], len(value))
        return value if is_picture else None

    def with_data(self, value: Any, data: bytes | None, path: str | None) -> Any:
        """The value of a cell with another picture, or with none."""
        if data is None or not self._is_struct:
            return data
        renamed = {_PATH: path} if _PATH in value else {}
        return {**value, _BYTES: data, **renamed}

    def path(self, value: Any) -> str | None:
        """The name that a cell has for its picture."""
        return value.get(_PATH) if self._is_struct else None


def picture_columns(schema: Any) -> list[PictureColumn]:
    """The columns of a schema of Arrow that hold pictures, or may.

    Raises:
        PictureError: there are pictures, or bytes, where they cannot be told.
    """
    features = _features(schema)
    columns = []
    for index, field in enumerate(schema):
        feature = features.get(field.name)
        is_image = isinstance(feature, dict) and feature.get("_type") == "Image"
        if _is_bytes(field.type) or _is_struct_of_bytes(field.type):
            # Without a word on it, a struct like this is a picture.
            is_declared = is_image or (feature is None and not _is_bytes(field.type))
            columns.append(PictureColumn(index, field.name, field.type, is_declared))
        elif _tells_of_images(feature) or any(map(_is_bytes, _leaves(field.type))):
            raise PictureError(
                f"its column {shown(field.name)} ({shown(field.type)}) may hold "
                "pictures, which are found in columns of bytes only and not in lists "
                "or other structures; leave the column out, or make it one"
            )
    return columns


def _features(schema: Any) -> dict[str, Any]:
    """What Hugging Face's library has noted on columns, if it has written the file."""
    try:
        noted = json.loads((schema.metadata or {})[b"huggingface"])
        features = noted["info"]["features"]
    except (LookupError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _tells_of_images(feature: Any) -> bool:
    """Whether an image is anywhere in the description of a column."""
    if isinstance(feature, dict):
        if feature.get("_type") == "Image":
            return True
        return any(_tells_of_images(part) for part in feature.values())
    return isinstance(feature, list) and any(map(_tells_of_images, feature))


def _is_bytes(type_: Any) -> bool:
    from pyarrow import types  # noqa: PLC0415  an extra

    return bool(
        types.is_binary(type_)
        or types.is_large_binary(type_)
        or types.is_binary_view(type_)
    )


def _is_struct_of_bytes(type_: Any) -> bool:
    from pyarrow import types  # noqa: PLC0415  an extra

    if not types.is_struct(type_):
        return False
    others = {field.name: field.type for field in type_}
    data = others.pop(_BYTES, None)
    return (
        data is not None
        and _is_bytes(data)
        and not any(
            _is_bytes(leaf) for other in others.values() for leaf in _leaves(other)
        )
    )


def _leaves(type_: Any) -> Iterator[Any]:
    """What a type is made of in the end."""
    from pyarrow import types  # noqa: PLC0415  an extra

    if isinstance(type_, types.lib.BaseExtensionType):
        yield from _leaves(type_.storage_type)
    elif types.is_dictionary(type_):
        yield from _leaves(type_.value_type)
    elif types.is_map(type_):
        yield from _leaves(type_.key_type)
        yield from _leaves(type_.item_type)
    elif types.is_nested(type_):
        for index in range(type_.num_fields):
            yield from _leaves(type_.field(index).type)
    else:
        yield type_
