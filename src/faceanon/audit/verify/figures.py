"""All faces together: how often is a hidden face nearest to its own original?

That one face resembles its original a little tells nothing. That many resemble theirs
more than all others do tells who they are.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import Guarantee
from faceanon.audit.verify.audit import Probe
from faceanon.audit.verify.findings import Finding, Kind
from faceanon.vision.recognition.embedding import direction
from faceanon.vision.recognition.selection import LEVELS

MOST_FACES = 20_000
"""Of more faces than this, so many are taken at random."""

LEAST_FACES = 20
"""Of fewer faces than this, nothing is told."""

# Faces are of one person from this similarity of their originals on.
_SAME = LEVELS["strict"].same

# The audit fails by a share that is not small and that chance would hardly give.
_LEAST_SHARE, _HARDLY = 0.1, 1e-4
# Luck gives more than painting over does once in so many audits of good outputs.
_HARDLY_BY_LUCK = 1e-3

# Where half of the faces or more are of one person, a right answer tells nothing.
_MOST_CHANCE = 0.5

_ROWS = 1000


@dataclass
class Sample:
    """A bounded, random choice of the faces that go by (Vitter's algorithm R)."""

    probes: list[Probe] = field(default_factory=list)
    _seen: int = 0
    _rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def add(self, probe: Probe) -> None:
        """Take a face, perhaps for another one."""
        self._seen += 1
        if len(self.probes) < MOST_FACES:
            self.probes.append(probe)
        elif (place := self._rng.integers(self._seen)) < MOST_FACES:
            self.probes[place] = probe


def figures(probes: Sequence[Probe]) -> Iterator[Finding]:
    """How often the nearest face is the right person's, beside what chance gives.

    Simulates three attackers. One has the originals and a recogniser. One has the
    originals and compares pixels, which sees through filters that keep something of the
    face. One treats pictures of known people alike, and has the other outputs. What
    clothes, hair and place reveal is not the method's fault, so the third is compared
    with himself before the same outputs with the faces painted over.
    """
    hidden = [probe for probe in probes if probe.guarantee is Guarantee.HIDDEN]
    if len(hidden) < LEAST_FACES:
        return
    traces = [probe.traces for probe in hidden]
    originals = np.array([direction(each.original) for each in traces])
    treated = np.array([direction(each.treated) for each in traces])
    painted = np.array([direction(each.painted) for each in traces])
    clean_pixels = np.array([each.original_pixels for each in traces], np.float32)
    pixels = np.array([each.treated_pixels for each in traces], np.float32)
    pictures = np.unique([probe.picture for probe in hidden], return_inverse=True)[1]
    clean, seen, alike, nothing = _Count(), _Count(), _Count(), _Count()
    for start in range(0, len(hidden), _ROWS):
        rows = slice(start, start + _ROWS)
        mates = originals[rows] @ originals.T >= _SAME
        everybody = np.ones_like(mates)
        clean.add(treated[rows] @ originals.T, mates, everybody)
        seen.add(pixels[rows] @ clean_pixels.T, mates, everybody)
        others = pictures[rows, None] != pictures[None, :]
        alike.add(treated[rows] @ treated.T, mates & others, others)
        nothing.add(painted[rows] @ painted.T, mates & others, others)
    for count, gallery in ((clean, "originals"), (seen, "pixels of originals")):
        if count.is_telling:
            fails = count.share >= _LEAST_SHARE and count.by_chance() < _HARDLY
            yield _finding(count, gallery, fails)
    if alike.is_telling:
        is_more = _by_luck(alike.right, nothing.right) < _HARDLY_BY_LUCK
        fails = alike.share >= _LEAST_SHARE and is_more
        gallery = "other outputs of the same person"
        yield _finding(alike, gallery, fails, nothing.share)


@dataclass
class _Count:
    """How often the nearest of a gallery was right.

    Attributes:
        right: of each face that had somebody to be found in the gallery, whether the
            nearest was the same person.
        expected: for how many chance would give that.
    """

    right: list[bool] = field(default_factory=list)
    expected: float = 0.0

    def add(
        self,
        similarity: NDArray[np.floating],
        mates: NDArray[np.bool_],
        gallery: NDArray[np.bool_],
    ) -> None:
        """Count some faces, one a row, with the gallery in columns.

        Args:
            similarity: of each face to each of the gallery.
            mates: who is the same person.
            gallery: who is in the gallery of this face.
        """
        has_mate = mates.any(axis=1)
        candidates = np.where(gallery, similarity, -np.inf)
        nearest = candidates.argmax(axis=1)
        # Of faces of which nothing is left, all others are equally near.
        is_tie = (candidates == candidates.max(axis=1)[:, None]).sum(axis=1) > 1
        is_hit = mates[np.arange(len(mates)), nearest] & ~is_tie
        share = mates.sum(axis=1) / np.maximum(gallery.sum(axis=1), 1)
        self.right += is_hit[has_mate].tolist()
        self.expected += float(share[has_mate].sum())

    @property
    def share(self) -> float:
        """How many of the faces were told rightly, 0 to 1."""
        return sum(self.right) / len(self.right)

    @property
    def is_telling(self) -> bool:
        """Whether there were enough faces, of enough people."""
        faces = len(self.right)
        return faces >= LEAST_FACES and self.expected <= _MOST_CHANCE * faces

    def by_chance(self) -> float:
        """A bound on how likely chance gives so many hits (Chernoff, Hoeffding)."""
        share, chance = self.share, self.expected / len(self.right)
        if share <= chance:
            return 1.0
        divergence = share * math.log(share / chance)
        if share < 1:
            divergence += (1 - share) * math.log((1 - share) / (1 - chance))
        return math.exp(-len(self.right) * divergence)


def _by_luck(right: Sequence[bool], reference: Sequence[bool]) -> float:
    """How likely luck alone makes one of two as much better than the other.

    The exact test of Q. McNemar, "Note on the sampling error of the difference between
    correlated proportions or percentages", 1947.

    Args:
        right: of each face, whether it was told rightly.
        reference: the same, by the other.
    """
    pairs = list(zip(right, reference, strict=True))
    better, worse = pairs.count((True, False)), pairs.count((False, True))
    tries = better + worse
    ways = sum(math.comb(tries, hits) for hits in range(better, tries + 1))
    return float(ways / 2**tries)


def _finding(
    count: _Count, gallery: str, fails: bool, painted_over: float | None = None
) -> Finding:
    """What a count tells.

    Args:
        count: with enough faces.
        gallery: whom the faces were compared with.
        fails: whether the audit fails by it.
        painted_over: the share that is told when the faces are painted over.
    """
    faces, hits = len(count.right), sum(count.right)
    chance = count.expected / faces
    what = (
        f"of {faces} faces {hits} ({count.share:.1%}) are told by what is left of "
        f"them, among {gallery}; guessing tells {count.expected:.1f} ({chance:.1%})"
    )
    told: dict[str, float | str] = {
        "gallery": gallery,
        "faces": faces,
        "rank_1": round(count.share, 4),
        "chance": round(chance, 4),
    }
    if painted_over is not None:
        what += f", the same outputs with the faces painted over {painted_over:.1%}"
        told["painted_over"] = round(painted_over, 4)
    return Finding(Kind.RANK, fails, what, figures=told)
