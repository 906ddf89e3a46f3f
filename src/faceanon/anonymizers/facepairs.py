"""Whose face can be shown in whose place, for `swap`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.faceskin import Skin, appearance
from faceanon.anonymizers.facewarp import Portrait, portrait
from faceanon.model import Face, Image
from faceanon.vision.landmarks import Landmarks, find_landmarks

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

# Partners are drawn by chance among those that are about as good.
_CHANCE = 1.0

# A mirrored face is shown only where that fits better by this.
_MIRROR_GAIN = 0.15

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A face that can be swapped: its picture, and what decides for whom it fits."""

    face: Face
    portrait: Portrait
    fineness: float
    color: NDArray[np.float32]
    skin: Skin


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What was found of one person: a face, perhaps a part of it or a doubtful box."""

    finds: list[Face]
    portrait: Portrait | None


Find: TypeAlias = tuple[Face, Portrait | None]
"""A find, and its portrait where it surely is a face."""


def portrayed(image: Image, faces: Sequence[Face]) -> list[Find]:
    """The finds in an image with their portraits; it runs a network for each."""
    meshes = ((face, sure_landmarks(image, face)) for face in faces)
    return [(face, portrait(image, mesh) if mesh else None) for face, mesh in meshes]


def heads_of(finds: Sequence[Find]) -> list[Head]:
    """The people of a picture, each with all that was found of them, the surest first.

    A detector may find a face and a part of it, or again with some of the hair. As two,
    a face could trade places with itself, and a single face would be no error.
    """
    heads: list[Head] = []
    for face, found in sorted(
        finds, key=lambda find: (find[1] is None, -find[0].score)
    ):
        for head in heads:
            if is_of(face, found, head):
                head.finds.append(face)
                break
        else:
            heads.append(Head([face], found))
    return heads


def sure_landmarks(image: Image, face: Face) -> Landmarks | None:
    """The mesh of a face, where it surely is one."""
    mesh = find_landmarks(image, face)
    return mesh if mesh is not None and mesh.presence >= _LEAST_PRESENCE else None


def is_of(face: Face, found: Portrait | None, head: Head) -> bool:
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


def lies_in_outline(face: Face, shown: Portrait) -> bool:
    """Whether the middle of a find lies in the outline of a face."""
    x, y = face.box.middle
    outline = shown.outline.reshape(-1, 1, 2)
    return cv2.pointPolygonTest(outline, (x, y), False) >= 0


def candidates_of(
    image: Image,
    heads: Sequence[Head],
    others: Sequence[Face],
    looser: float = 1,
    fineness: float | None = None,
) -> list[Candidate]:
    """Those who can be swapped: seen well, from the front, with nothing before them.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        heads: the people in it.
        others: its other faces.
        looser: by which factor they may be worse than in a picture.
        fineness: that of all of them, where it is known; see `appearance`.
    """
    found = []
    for head in heads:
        shown = head.portrait
        if shown is None or abs(shown.yaw) > _MOST_YAW * looser:
            continue
        strangers = [
            *(find for other in heads if other is not head for find in other.finds),
            *(face for face in others if face not in head.finds),
        ]
        if any(lies_in_outline(face, shown) for face in strangers):
            continue
        if _share_in_picture(image, shown) < _LEAST_IN_PICTURE:
            continue
        looks = appearance(shown, fineness)
        if looks.fineness > _COARSEST * looser or not _is_bare(looks.skin, looser):
            continue
        seen = looks.fineness, looks.color, looks.skin
        found.append(Candidate(head.finds[0], shown, *seen))
    return found


def _is_bare(skin: Skin, looser: float) -> bool:
    """Whether nothing is in front of a face, nor hides its eyes and mouth."""
    is_free = max(skin.over, skin.under) <= _MOST_FOREIGN * looser
    return is_free and skin.evident * looser >= _LEAST_EVIDENT


def _share_in_picture(image: Image, shown: Portrait) -> float:
    """How many of the points of a face lie in the picture: 0 to 1."""
    height, width = image.shape[:2]
    x, y = shown.points.T + np.array([[shown.box.left], [shown.box.top]])
    return float(((x >= 0) & (y >= 0) & (x < width) & (y < height)).mean())


def turned_like(source: Portrait, target: Portrait) -> Portrait:
    """The source, mirrored where it looks to the other side than the target."""
    if abs(source.yaw + target.yaw) + _MIRROR_GAIN >= abs(source.yaw - target.yaw):
        return source
    return source.mirrored() or source


def costs_of(candidates: Sequence[Candidate], looser: float = 1) -> Numbers:
    """What it costs the looks of a picture to show a source in the place of a target.

    Args:
        candidates: N of them.
        looser: by which factor they may differ more than in a picture.

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
    covered = np.array([candidate.skin.is_covered for candidate in candidates])
    costs: Numbers = _FRINGE_COST * (covered[None, :] & ~covered[:, None])
    for difference, most, cost in differences:
        costs += np.where(difference < most * looser, difference / most * cost, np.inf)
    np.fill_diagonal(costs, np.inf)
    return costs


def partners_of(costs: Numbers, rng: np.random.Generator) -> list[int]:
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
