"""What is counted of pictures: in a run, and of what an earlier run has done."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from faceanon.boxes import FaceTable
from faceanon.model import Face
from faceanon.pipeline.job import WORTH_A_NOTE, Outcome, Status


@dataclass
class Counts:
    """How many pictures and faces had each outcome; they can be added up.

    Attributes:
        statuses: how many pictures had each outcome.
        faces: how many faces were found; with a selection, how many were hidden.
        shown: how many faces were not hidden, by who they are.
        otherwise: how many faces were treated in another way than the method does it,
            by the name of the method that hid them instead, or `LEFT_ALONE`.
        written: how many pictures without a face were written.
        not_written: how many were not, as `--no-face skip` asks for.
        to_check: how many pictures somebody should look at; see `Outcome.to_check`.
        coarse: in how many pictures faces are not seen that are not small.
        sounds: how many films keep their sound.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    faces: int = 0
    shown: int = 0
    otherwise: Counter[str] = field(default_factory=Counter)
    written: int = 0
    not_written: int = 0
    to_check: int = 0
    coarse: int = 0
    sounds: int = 0

    @classmethod
    def of(cls, outcome: Outcome) -> "Counts":
        """Those of one outcome; of a dataset file, those of its pictures."""
        if outcome.members:
            counts = cls()
            for picture in outcome.pictures():
                counts.add(cls.of(picture))
            return counts
        is_plain = outcome.status is Status.NO_FACES and outcome.job.target is not None
        is_there = outcome.target_stamp is not None
        return cls(
            Counter([outcome.status.value]),
            outcome.face_count,
            _count(outcome.shown),
            Counter(outcome.otherwise.values()) + _otherwise_in_film(outcome),
            written=int(is_plain and is_there),
            not_written=int(is_plain and not is_there),
            to_check=int(outcome.to_check),
            coarse=int(outcome.smallest_face > WORTH_A_NOTE),
            sounds=int(outcome.keeps_sound),
        )

    def add(self, other: "Counts") -> None:
        """Add others to these."""
        for each in fields(self):
            total = getattr(self, each.name) + getattr(other, each.name)
            setattr(self, each.name, total)

    def to_json(self) -> str:
        """What is not 0, as JSON."""
        return json.dumps({k: v for k, v in vars(self).items() if v})

    @classmethod
    def from_json(cls, text: str) -> "Counts":
        """What `to_json` made."""
        told: dict[str, Any] = json.loads(text)
        statuses, otherwise = (
            Counter(told.pop(name, {})) for name in ("statuses", "otherwise")
        )
        return cls(statuses, otherwise=otherwise, **told)


def _count(faces: Sequence[Face]) -> int:
    return faces.face_count if isinstance(faces, FaceTable) else len(faces)


def _otherwise_in_film(outcome: Outcome) -> Counter[str]:
    """How many faces of a film were treated otherwise in most of their frames."""
    return Counter(
        method
        for track in outcome.tracks
        for method, count in track.otherwise.items()
        if 2 * count > track.frame_count
    )
