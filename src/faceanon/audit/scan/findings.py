"""What a scan finds, and how it is told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = 1
"""The version of the JSON lines; it grows when a reader of the old ones would err."""

VALUE_LENGTH = 80
"""Values are cut to so many characters."""

SIGNATURES_ONLY = "it is not looked into, but for signatures"
"""What is said of a file of which nothing here knows the structure."""


class Kind(StrEnum):
    """What was found."""

    PICTURE = "picture"
    VIDEO = "video"
    SOUND = "sound"
    PLACE = "place"
    NAME = "name"
    FACE_REGION = "face region"
    SERIAL = "serial"
    DATE = "date"
    COMMENT = "comment"
    MAKER_NOTE = "maker note"
    PROVENANCE = "provenance"
    CONTAINER = "container"
    TRAILER = "trailer"
    GAP = "gap"
    UNKNOWN = "unknown"
    UNREAD = "unread"
    CAMERA = "camera"
    SETTINGS = "settings"
    PROFILE = "profile"
    FRAMES = "frames"


HARMLESS = frozenset([Kind.CAMERA, Kind.SETTINGS, Kind.PROFILE, Kind.FRAMES])
"""What tells nobody who or where; everything else may."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file that is not the picture itself.

    Attributes:
        kind: what it is.
        path: the way through the structure of the file, parts joined by slashes.
        offset: of its first byte in the file; None if it was unpacked from compressed
            or scattered data.
        length: in bytes.
        what: what it is, in words; holds nothing out of the file but the names of its
            structure.
        identifies: whether it can tell who is shown, or where, or when to the minute,
            or can hold another picture.
        value: the beginning of a text out of the file, where it is one.
    """

    kind: Kind
    path: str
    offset: int | None
    length: int
    what: str
    identifies: bool
    value: str | None = None

    def line(self, file: str, show_value: bool) -> str:
        """The finding in a line for people."""
        harmless = "" if self.identifies else " (harmless)"
        place = f" ({self.path})" if self.path else ""
        value = f": {self.value!r}" if show_value and self.value else ""
        return f"{file}: {self.kind}{harmless}: {self.what}{value}{place}"

    def as_json(self, file: str, show_value: bool) -> dict[str, Any]:
        """The finding as the object of a JSON line; see docs/scan.md."""
        line = {
            "schema": SCHEMA,
            "file": file,
            "kind": self.kind.value,
            "identifies": self.identifies,
            "path": self.path,
            "offset": self.offset,
            "length": self.length,
            "what": self.what,
        }
        return line | {"value": self.value} if show_value else line
