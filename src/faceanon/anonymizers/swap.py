"""Let the faces of a picture trade places."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon import anonymizers
from faceanon.anonymizers.base import Guarantee, ReportingAnonymizer, Treated
from faceanon.anonymizers.faceblend import put_in_place
from faceanon.anonymizers.faceskin import Skin, appearance
from faceanon.anonymizers.facewarp import Portrait, portrait
from faceanon.errors import PictureError
from faceanon.media.picture import eight_bit
from faceanon.model import Cover, Face, Image
from faceanon.options import option
from faceanon.vision.landmarks import find_landmarks
from faceanon.vision.recognition.embedding import direction
from faceanon.vision.recognition.observing import observe

Otherwise: TypeAlias = Literal["pixelate", "blur", "blackbar", "emoji", "fail"]

# Meshes of things that are no faces are mostly less sure.
_LEAST_PRESENCE = 0.97

# Of a face that is turned further, half is missing. See `Portrait.yaw`.
_MOST_YAW = 1.15

# So much of the skin may be hair, a hand or a thing: between the brows and the tip of
# the nose, where glasses are, or below it.
_MOST_FOREIGN = 0.2

# See `Skin.evident`: below it the eyes or the mouth are in the dark, or behind
# something, or not where the mesh has them.
_LEAST_EVIDENT = 0.85

# Faces without details finer than this, in widths of the face, are a blur.
_COARSEST = 0.017

# So much of a face must be in the picture.
_LEAST_IN_PICTURE = 0.98

# Meshes whose middles are nearer than this, in widths of the face, are of one face.
_ONE_FACE = 0.35

# A second find in the place of a face that is so much less sure is of the same head.
_DOUBTFUL = 0.5
_SAME_PLACE = 0.35

# What two faces may differ by: the ratio of their widths and that of their finest
# details, the nose's place across and down (see `Portrait`), and the colour in CIELAB.
_MOST_ENLARGED, _MOST_BLURRED = 2.0, 2.0
_MOST_TURNED, _MOST_TILTED = 0.55, 0.45
_MOST_COLOR = 45.0

# What each of these limits costs when it is reached.
_SIZE_COST, _BLUR_COST, _TURN_COST, _TILT_COST, _COLOR_COST = 1.0, 1.0, 1.5, 1.0, 1.0

# Of a face with a fringe the brows are not seen: the target's stay.
_FRINGE_COST = 3.0

# A face stays single only where no partner will do: it costs more than any two pairs.
_SINGLE_COST = 20.0

# Hair, head and skin stay, and with them some likeness, as `verify` knows; from this
# similarity on, the new face does not hide the old one.
_STILL_KNOWN = 0.62

# Partners are drawn by chance among those that are about as good.
_CHANCE = 1.0

# A mirrored face is shown only where that fits better by this.
_MIRROR_GAIN = 0.15

_Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A face that can be swapped: its picture, and what decides for whom it fits."""

    face: Face
    portrait: Portrait
    fineness: float
    color: NDArray[np.float32]
    is_covered: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """What was found of one person: a face, perhaps a part of it or a doubtful box."""

    finds: list[Face]
    portrait: Portrait | None


@dataclass(frozen=True)
class Swap(ReportingAnonymizer):
    """Let the faces of each picture trade places: nobody keeps their own.

    A picture with one face is an error. Faces that cannot be swapped (too small, turned
    too far, with something in front, or without a partner of about their size, pose and
    sharpness) are hidden as --otherwise says. The faces of those who are swapped can
    still be seen, on the shoulders of others.
    """

    guarantee: ClassVar[Guarantee] = Guarantee.MOVED

    otherwise: Otherwise = option(
        "pixelate",
        "How to hide faces that cannot be swapped: with another method, or not at all: "
        "the picture fails.",
        choices=("pixelate", "blur", "blackbar", "emoji", "fail"),
    )

    def cautions(self) -> tuple[str, ...]:
        """Say that the faces are still in the picture."""
        return (
            "swap hides who stood where, not who was there: every swapped face can "
            "still be seen, on another person",
        )

    def partners(
        self, image: Image, faces: Sequence[Face], others: Sequence[Face]
    ) -> Sequence[Face]:
        """Somebody to trade places with, if none of the faces can with another."""
        heads = _heads(image, faces)
        candidates = _candidates(image, heads, others)
        if not candidates or np.isfinite(_costs(candidates)).any():
            return ()
        all_heads = _heads(image, [*faces, *others])
        more = [
            candidate
            for candidate in _candidates(image, all_heads, ())
            if candidate.face in others
        ]
        costs = _costs([*candidates, *more])
        count = len(candidates)
        there_and_back = costs[:count, count:] + costs[count:, :count].T
        if not np.isfinite(there_and_back).any():
            return ()
        best = int(np.argmin(there_and_back.min(axis=0)))
        return (more[best].face,)

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """Swap the faces that can be, and hide the rest; see `Anonymizer.treat`."""
        heads = _heads(image, [*faces, *others])
        if len(heads) == 1:
            raise PictureError(
                "swap needs at least two faces and there is one to hide; use another "
                "method for this picture"
            )
        candidates = [
            candidate
            for candidate in _candidates(image, heads, others)
            if candidate.face in faces
        ]
        sources = _partners(_costs(candidates), rng)
        swapped = [n for n, source in enumerate(sources) if source != n]
        result = image.copy()
        # Faces in front are larger, mostly, and are drawn last.
        for number in sorted(swapped, key=lambda n: candidates[n].portrait.width):
            target = candidates[number].portrait
            source = _turned_like(candidates[sources[number]].portrait, target)
            put_in_place(result, source, target, rng)
        gone = _seen_swapped(
            heads,
            [
                candidates[n]
                for n in swapped
                if not _still_known(image, result, candidates[n].face)
            ],
        )
        single = [face for face in faces if face not in gone]
        if not single:
            return Treated(result)
        if self.otherwise == "fail":
            raise PictureError(
                f"{len(single)} of {len(faces)} faces cannot be swapped; use another "
                "method for this picture, or hide them as --otherwise says"
            )
        method = anonymizers.get(self.otherwise)()
        rest = [*(face for face in faces if face in gone), *others]
        hidden = method.treat(result, single, rest, cover, rng).image
        return Treated(hidden, dict.fromkeys(single, self.otherwise))


def _heads(image: Image, faces: Sequence[Face]) -> list[_Head]:
    """The people of a picture, each with all that was found of them, the surest first.

    A detector may find a face and a part of it, or again with some of the hair. As two,
    a face could trade places with itself, and a single face would be no error.
    """
    heads: list[_Head] = []
    seen: list[tuple[Face, Portrait | None]] = []
    for face in faces:
        mesh = find_landmarks(image, face)
        sure = mesh is not None and mesh.presence >= _LEAST_PRESENCE
        seen.append((face, portrait(image, mesh) if mesh and sure else None))
    seen.sort(key=lambda found: (found[1] is None, -found[0].score))
    for face, found in seen:
        for head in heads:
            if _is_of(face, found, head):
                head.finds.append(face)
                break
        else:
            heads.append(_Head([face], found))
    return heads


def _is_of(face: Face, found: Portrait | None, head: _Head) -> bool:
    """Whether a find is of a head that was found before, by a surer face."""
    if found is not None and head.portrait is not None:
        apart = math.dist(found.middle, head.portrait.middle)
        return apart < _ONE_FACE * max(found.width, head.portrait.width)
    if found is not None:
        return False
    main = head.finds[0]
    if face.box.overlap(main.box) >= _SAME_PLACE or face.lies_in(main):
        return True
    near = _holds_middle(face, main) or _holds_middle(main, face)
    return near and face.score < _DOUBTFUL * main.score


def _holds_middle(one: Face, other: Face) -> bool:
    """Whether the middle of another's box lies in the box of a face."""
    x, y = other.box.middle
    box = one.box
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def _lies_in_outline(face: Face, shown: Portrait) -> bool:
    """Whether the middle of a find lies in the outline of a face."""
    x, y = face.box.middle
    outline = shown.outline.reshape(-1, 1, 2)
    return cv2.pointPolygonTest(outline, (x, y), False) >= 0


def _candidates(
    image: Image, heads: Sequence[_Head], others: Sequence[Face]
) -> list[_Candidate]:
    """Those who can be swapped: seen well, from the front, with nothing before them."""
    found = []
    for head in heads:
        shown = head.portrait
        if shown is None or abs(shown.yaw) > _MOST_YAW:
            continue
        strangers = [
            *(find for other in heads if other is not head for find in other.finds),
            *(face for face in others if face not in head.finds),
        ]
        if any(_lies_in_outline(face, shown) for face in strangers):
            continue
        if _share_in_picture(image, shown) < _LEAST_IN_PICTURE:
            continue
        looks = appearance(shown)
        if looks.fineness > _COARSEST or not _is_bare(looks.skin):
            continue
        seen = looks.fineness, looks.color, looks.skin.is_covered
        found.append(_Candidate(head.finds[0], shown, *seen))
    return found


def _is_bare(skin: Skin) -> bool:
    """Whether nothing is in front of a face, nor hides its eyes and mouth."""
    return (
        max(skin.over, skin.under) <= _MOST_FOREIGN and skin.evident >= _LEAST_EVIDENT
    )


def _share_in_picture(image: Image, shown: Portrait) -> float:
    """How many of the points of a face lie in the picture: 0 to 1."""
    height, width = image.shape[:2]
    x, y = shown.points.T + np.array([[shown.box.left], [shown.box.top]])
    return float(((x >= 0) & (y >= 0) & (x < width) & (y < height)).mean())


def _seen_swapped(heads: Sequence[_Head], swapped: Sequence[_Candidate]) -> set[Face]:
    """The finds that show somebody else now: the swapped faces, and parts of them."""
    gone = set()
    for candidate in swapped:
        gone.add(candidate.face)
        (head,) = (head for head in heads if head.finds[0] is candidate.face)
        gone.update(
            find for find in head.finds if _lies_in_outline(find, candidate.portrait)
        )
    return gone


def _still_known(image: Image, result: Image, face: Face) -> bool:
    """Whether a recogniser takes the new face for the old one: they are too alike."""
    before, after = (observe(eight_bit(seen), face) for seen in (image, result))
    if before is None or after is None:
        return False
    likeness = direction(before.embedding) @ direction(after.embedding)
    return float(likeness) > _STILL_KNOWN


def _turned_like(source: Portrait, target: Portrait) -> Portrait:
    """The source, mirrored where it looks to the other side than the target."""
    if abs(source.yaw + target.yaw) + _MIRROR_GAIN >= abs(source.yaw - target.yaw):
        return source
    return source.mirrored() or source


def _costs(candidates: Sequence[_Candidate]) -> _Numbers:
    """What it costs the looks of a picture to show a source in the place of a target.

    Returns:
        Shape (N, N), targets by sources, 0 or more; infinite where it will not do.
    """
    if not candidates:
        return np.empty((0, 0))
    size, blur, yaw, pitch = np.array(
        [
            (
                math.log2(max(candidate.portrait.width, 1)),
                math.log2(candidate.fineness),
                candidate.portrait.yaw,
                candidate.portrait.pitch,
            )
            for candidate in candidates
        ]
    ).T
    colors = np.array([candidate.color for candidate in candidates])
    turned = np.minimum(
        np.abs(yaw[:, None] - yaw[None, :]),
        np.abs(yaw[:, None] + yaw[None, :]) + _MIRROR_GAIN,
    )
    differences = (
        (np.abs(size[:, None] - size[None, :]), math.log2(_MOST_ENLARGED), _SIZE_COST),
        # A sharp face is softened; a soft one cannot be sharpened.
        (
            (blur[None, :] - blur[:, None]).clip(0),
            math.log2(_MOST_BLURRED),
            _BLUR_COST,
        ),
        (turned, _MOST_TURNED, _TURN_COST),
        (np.abs(pitch[:, None] - pitch[None, :]), _MOST_TILTED, _TILT_COST),
        (
            np.linalg.norm(colors[:, None] - colors[None, :], axis=2),
            _MOST_COLOR,
            _COLOR_COST,
        ),
    )
    covered = np.array([candidate.is_covered for candidate in candidates])
    costs: _Numbers = _FRINGE_COST * (covered[None, :] & ~covered[:, None])
    for difference, most, cost in differences:
        costs += np.where(difference < most, difference / most * cost, np.inf)
    np.fill_diagonal(costs, np.inf)
    return costs


def _partners(costs: _Numbers, rng: np.random.Generator) -> list[int]:
    """For each face the one whose place it takes over, or itself: it stays single.

    As many as can be are swapped, and those who fit best, but for some chance. It is
    the assignment problem, solved as by H. W. Kuhn, "The Hungarian Method for the
    Assignment Problem", 1955, with shortest augmenting paths.
    """
    count = len(costs)
    drawn = costs + rng.uniform(0, _CHANCE, costs.shape)
    # Large, not infinite: differences of costs must be numbers.
    never = _SINGLE_COST * (count + 1) * 2
    drawn = np.where(np.isfinite(drawn), drawn, never)
    np.fill_diagonal(drawn, _SINGLE_COST)
    row_price, column_price = np.zeros(count + 1), np.zeros(count + 1)
    # The last column stands for the row that looks for its place.
    taken_by = np.full(count + 1, -1)
    for row in range(count):
        taken_by[count] = row
        column = count
        nearest = np.full(count, np.inf)
        came_from = np.full(count, count)
        visited = np.zeros(count + 1, bool)
        while taken_by[column] >= 0:
            visited[column] = True
            here = taken_by[column]
            open_ = ~visited[:count]
            reduced = drawn[here] - row_price[here] - column_price[:count]
            closer = open_ & (reduced < nearest)
            nearest[closer] = reduced[closer]
            came_from[closer] = column
            following = int(np.argmin(np.where(open_, nearest, np.inf)))
            step = nearest[following]
            row_price[taken_by[visited]] += step
            column_price[visited] -= step
            nearest[open_] -= step
            column = following
        while column != count:
            previous = came_from[column]
            taken_by[column] = taken_by[previous]
            column = int(previous)
    sources = list(range(count))
    for source, target in enumerate(taken_by[:count]):
        sources[int(target)] = source
    return sources
