"""Whom to hide: only some people, or everybody but them."""

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

from faceanon.errors import OptionError
from faceanon.model import Verdict
from faceanon.vision.recognition.gallery import People

Mode: TypeAlias = Literal["only", "except"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The similarities that decide, 0 to 1; measured in `docs/people.md`.

    Attributes:
        same: from this on, a face is surely the person's.
        other: below this, it is surely somebody else's.
    """

    same: float
    other: float


LEVELS = {
    "strict": Thresholds(same=0.60, other=0.20),
    "normal": Thresholds(same=0.50, other=0.25),
    "loose": Thresholds(same=0.47, other=0.33),
}
"""What `--match` names. The stricter, the more is hidden."""


def parse_match(value: str | float) -> str | float:
    """One of `LEVELS`, or a similarity.

    Raises:
        OptionError: it is neither.
    """
    if value in LEVELS:
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise OptionError(
            f"match must be {', '.join(LEVELS)} or a similarity between 0 and 1, "
            f"not {value!r}"
        )
    return number


@dataclass(frozen=True, slots=True)
class Selection:
    """Which faces are hidden, by who they are.

    Attributes:
        people: those whom `--only` or `--except` names.
        mode: "only" hides these people, "except" everybody else. In both, a face of
            which it is not sure is hidden.
        match: one of `LEVELS`, or the similarity from which on "except" shows a face,
            and "only" hides it.
    """

    people: People
    mode: Mode
    match: str | float = "normal"

    @property
    def shows(self) -> Verdict:
        """The verdict on the faces that are not hidden."""
        return "same" if self.mode == "except" else "other"

    @property
    def thresholds(self) -> Thresholds:
        """The similarities that decide."""
        if isinstance(self.match, str):
            return LEVELS[self.match]
        usual = LEVELS["normal"]
        if self.mode == "except":
            return Thresholds(self.match, min(self.match, usual.other))
        return Thresholds(max(self.match, usual.same), self.match)

    def described(self) -> dict[str, Any]:
        """The selection as it may be published, for reports."""
        return {
            "mode": self.mode,
            "people": [person.name for person in self.people.persons],
            "match": self.match,
        }

    def fingerprint(self) -> str:
        """Differs when other faces would be hidden; does not tell the embeddings."""
        digest = blake2b(digest_size=16)
        for person in self.people.persons:
            digest.update(person.direction.tobytes())
        return digest.hexdigest()
