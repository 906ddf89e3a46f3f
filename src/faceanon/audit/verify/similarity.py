"""What is left of a face in an output: its detail, and whom it resembles.

The limits are set from data; see docs/verify.md for what they let pass and catch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import Guarantee
from faceanon.audit.verify.findings import Kind
from faceanon.model import Box, Cover, Face, Image
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import Embedding, direction
from faceanon.vision.recognition.quality import PROBE, assess
from faceanon.vision.recognition.sface import embed

# Faces are compared at this size, in pixels, by what is finer than a twelfth of them:
# a mosaic of six cells keeps nothing of it.
_SIDE = 64
_FINEST = _SIDE / 12
# The middle of the box, as hidden parts may be ellipses.
_MARGIN = _SIDE // 6

# Less contrast than this, in grey levels, is noise.
_LEAST_DETAIL = 1.5

# The detail of a face that was compressed once more, and of one that was blurred or cut
# into cells too finely; what is hidden, or drawn anew, shares less than 0.57 of it.
_UNCHANGED, _UNCHANGED_STRENGTH = 0.8, (0.5, 2.0)
_VISIBLE = 0.6

# Embeddings shorter than the length are hardly of faces, and all a little alike.
_RECOGNISABLE, _LEAST_LENGTH = 0.4, 6.5
_RECOGNISABLE_ANYHOW = 0.5
# What an aligned face shows lies in its cover, grown by this.
_AROUND = 1.6

# Whose face was swapped keeps hair and head, and by them some comparison.
_IN_PLACE = 0.65


# What is compared pixel by pixel: width and height, and over how many of them what
# changes slowly does, which is light and not face.
_PIXELS, _SLOW = (16, 20), 3.5

Pixels: TypeAlias = NDArray[np.float16]
"""Shape (320,), of the length 1, or 0 where there is nothing to see."""


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """What those who want to know compare: of a face, and of what is at its place.

    Attributes:
        original: the embedding of the face.
        treated: the embedding of the same place in the output.
        painted: that of the same place once it is painted over; that of the same place
            as it is where it was not asked for.
        original_pixels: of the face.
        treated_pixels: of the same place in the output.
    """

    original: Embedding
    treated: Embedding
    painted: Embedding
    original_pixels: Pixels
    treated_pixels: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How like the original a face in an output is.

    Attributes:
        detail: the correlation of the fine detail of both, -1 to 1; 0 if there is none.
        strength: how strong the detail is that they share; 1 if as in the original.
        traces: None if the original is not clear enough to be recognised.
    """

    detail: float
    strength: float
    traces: Traces | None = None

    @property
    def similarity(self) -> float | None:
        """The cosine of both embeddings, -1 to 1; None if there are none."""
        if self.traces is None:
            return None
        original, treated = self.traces.original, self.traces.treated
        return float(direction(original) @ direction(treated))

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing was done to the face, but perhaps another compression."""
        weakest, strongest = _UNCHANGED_STRENGTH
        return self.detail >= _UNCHANGED and weakest <= self.strength <= strongest

    @property
    def is_recognisable(self) -> bool:
        """Whether a recogniser takes it for the original's."""
        if self.traces is None or self.similarity is None:
            return False
        is_face = float(np.linalg.norm(self.traces.treated)) >= _LEAST_LENGTH
        return self.similarity >= (_RECOGNISABLE if is_face else _RECOGNISABLE_ANYHOW)


def compare(
    before: Image,
    after: Image,
    face: Face,
    *,
    is_probed: bool = True,
    recognises: bool = True,
) -> Comparison:
    """Compare a face with what is at its place in an output.

    Where the eyes and the mouth were is taken from the original: that is the most that
    somebody who wants to recognise it could know.

    Args:
        before: the original, shape (H, W, 3), BGR, uint8.
        after: the output, of the same shape.
        face: in the original.
        is_probed: whether it is to be compared over all pictures, for which more is
            worked out.
        recognises: whether to ask the recogniser, which takes most of the time.
    """
    detail, strength = _shared_detail(before, after, face.box)
    if not recognises:
        return Comparison(detail, strength)
    seen = assess(before, face, PROBE)
    if seen.problem or seen.embedding is None or face.points is None:
        return Comparison(detail, strength)
    treated = embed(aligned(after, face.points))
    traces = Traces(
        seen.embedding,
        treated,
        embed(_painted_over(after, face)) if is_probed else treated,
        _pixels(before, face.box),
        _pixels(after, face.box),
    )
    return Comparison(detail, strength, traces)


def _pixels(image: Image, box: Box) -> Pixels:
    """The grey pixels of a box, small, without light that changes slowly over it."""
    box = box.clipped(*image.shape[:2])
    grey = cv2.cvtColor(np.ascontiguousarray(image[box.slices]), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey.astype(np.float32), _PIXELS, interpolation=cv2.INTER_AREA)
    fine = np.asarray(small - cv2.GaussianBlur(small, (0, 0), _SLOW), np.float32)
    values = fine.ravel() - fine.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1.0), np.float16)


def _painted_over(after: Image, face: Face) -> Image:
    """An aligned face of which nothing is left; the face has points."""
    around = Cover().grown(face).grown(_AROUND).clipped(*after.shape[:2])
    patch = after[around.slices].copy()
    moved = face.placed(right=-around.left, down=-around.top)
    assert moved.points is not None, "only such a face is compared"
    patch[Cover().box(moved, patch).slices] = 0
    return aligned(patch, moved.points)


def verdict(
    comparison: Comparison, is_seen: Callable[[], bool], guarantee: Guarantee
) -> Kind | None:
    """What can still be told of a face; None if it is hidden as it should be.

    Args:
        comparison: to the original.
        is_seen: tells whether a detector sees a face at its place in the output.
        guarantee: what the method promises. Of one that promises nothing it is told
            what can be recognised, too.
    """
    if comparison.is_unchanged:
        return Kind.FACE_LEFT
    if guarantee is Guarantee.MOVED:
        is_own = (comparison.similarity or 0) >= _IN_PLACE
        return Kind.RECOGNISABLE if is_own else None
    if comparison.is_recognisable:
        return Kind.RECOGNISABLE
    return Kind.VISIBLE if comparison.detail >= _VISIBLE and is_seen() else None


def _shared_detail(before: Image, after: Image, box: Box) -> tuple[float, float]:
    """See `Comparison.detail` and `Comparison.strength`."""
    box = box.clipped(*before.shape[:2])
    if box.width < 2 or box.height < 2:
        return 0.0, 0.0
    if np.array_equal(before[box.slices], after[box.slices]):
        return 1.0, 1.0
    first, second = (_detail(image[box.slices]) for image in (before, after))
    if min(first.std(), second.std()) < _LEAST_DETAIL:
        return 0.0, 0.0
    shared = float((first * second).mean())
    correlation = shared / float(first.std() * second.std())
    return correlation, shared / float(first.var())


def _detail(patch: Image) -> NDArray[np.float32]:
    """The fine detail of a face at a common size, without a mean."""
    grey = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_BGR2GRAY)
    is_larger = min(grey.shape) > _SIDE
    way = cv2.INTER_AREA if is_larger else cv2.INTER_LINEAR
    small = cv2.resize(grey.astype(np.float32), (_SIDE, _SIDE), interpolation=way)
    fine = small - cv2.GaussianBlur(small, (0, 0), _FINEST)
    middle = fine[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return np.asarray(middle - middle.mean(), np.float32)
