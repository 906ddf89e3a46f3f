"""A face in the preview, and what is to become of it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from faceanon.model import Face

Kind: TypeAlias = Literal["hidden", "kept", "unsure"]


@dataclass(frozen=True, slots=True)
class FaceState:
    """A face, and what is to become of it.

    Attributes:
        face: the face.
        kind: it will be hidden; it is kept, by hand or by who it is; the detector is
            not sure of it.
    """

    face: Face
    kind: Kind

    @property
    def label(self) -> str:
        """What stands at its box."""
        if self.kind == "kept":
            return self.face.match.person if self.face.match else "kept"
        if self.face.found_by == "hand":
            return "added"
        return f"{self.face.score:.2f}{'?' if self.kind == 'unsure' else ''}"
