"""The faces of one frame, in the input and in the output."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from faceanon.anonymizers.base import Guarantee
from faceanon.audit.verify.findings import Kind
from faceanon.audit.verify.similarity import Comparison, compare, verdict
from faceanon.model import Face, Image
from faceanon.vision import detection
from faceanon.vision.detection.find import is_among

# What the detector finds hardly ever is a face below the first score. It surely is one
# from the last on; from the second on if the recogniser can tell whose, or if nothing
# was done to the picture. What a run has left of one is mostly what only looks alike.
_DOUBTFUL, _LIKELY, _SURE = 0.4, 0.55, 0.75

# In pixels; smaller ones tell too little to be sure.
_LEAST_WIDTH = 10

# In a frame of a film, the recogniser is asked about so many faces, the largest.
_MOST_RECOGNISED = 12

_WORDS = {
    Kind.FACE_LEFT: "left as it was, or nearly so",
    Kind.RECOGNISABLE: "can be recognised",
    Kind.VISIBLE: "hidden too little: it can be seen",
}


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A face of an input, compared with what is at its place in the output.

    Attributes:
        face: as the detector has found it.
        comparison: to what is at its place.
        is_sure: whether it surely is a face.
        kind: what can be told of it; None if it is hidden as it should be.
    """

    face: Face
    comparison: Comparison
    is_sure: bool
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say of a face; see `findings.Finding`."""

    kind: Kind
    fails: bool
    what: str


def compare_faces(
    before: Image,
    after: Image,
    guarantee: Guarantee,
    *,
    is_film: bool = False,
    is_probed: bool = True,
) -> Iterator[Compared]:
    """Compare all that is a face, or may be one.

    Args:
        before: the input, shape (H, W, 3), BGR, uint8.
        after: the output, of the same shape.
        guarantee: what the method promises.
        is_film: whether it is one of many frames, which are searched less thoroughly,
            and the output only where it is needed: a face is in several of them.
        is_probed: whether the faces are to be compared over all pictures.
    """
    detect = detection.make("centerface", "balanced" if is_film else "thorough")
    (faces,) = detect([before])
    is_untouched = np.array_equal(before, after)
    found_after = cache(lambda: faces if is_untouched else detect([after])[0])
    least = _LIKELY if is_untouched else _SURE
    by_width = sorted(faces, key=lambda face: -face.box.width)
    recognised = by_width[:_MOST_RECOGNISED] if is_film else faces
    for face in faces:
        comparison = compare(
            before, after, face, is_probed=is_probed, recognises=face in recognised
        )
        is_clear = comparison.traces is not None and face.score >= _LIKELY
        is_strong = face.score >= least and face.box.width >= _LEAST_WIDTH
        seen = partial(_is_among_found, face, found_after)
        kind = verdict(comparison, seen, guarantee)
        yield Compared(face, comparison, is_clear or is_strong, kind)
    for face in () if is_film else found_after():
        # What is found in the output only is the method's own, or was overlooked.
        if not is_among(face, faces):
            comparison = compare(before, after, face, is_probed=is_probed)
            if comparison.is_unchanged:
                is_sure = comparison.traces is not None and face.score >= _SURE
                yield Compared(face, comparison, is_sure, Kind.FACE_LEFT)


def _is_among_found(face: Face, found: Callable[[], Sequence[Face]]) -> bool:
    return is_among(face, found())


def said_of(compared: Compared, guarantee: Guarantee, is_shown: bool) -> Said | None:
    """What there is to say of a face; None if there is nothing.

    Args:
        compared: the face.
        guarantee: what the method promises.
        is_shown: whether it was not to be hidden.
    """
    kind, similarity = compared.kind, compared.comparison.similarity
    if kind is None:
        return None
    if is_shown:
        what = "it was not to be hidden, as the report says"
        return Said(Kind.SHOWN, False, what)
    if not compared.is_sure:
        if compared.face.score < _DOUBTFUL:
            return None
        return Said(Kind.DOUBTFUL, False, f"this may be a face: {_WORDS[kind]}")
    what = _WORDS[kind]
    if similarity is not None:
        what += f" (similarity {similarity:.2f})"
    if guarantee is Guarantee.NONE:
        return Said(kind, False, f"{what}; the method promises no more")
    return Said(kind, True, what)
