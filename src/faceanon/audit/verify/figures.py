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
    """How often the nearest face is the right person's, beside what chance gives."""
    hidden = [probe for probe in probes if probe.guarantee is Guarantee.HIDDEN]
    if len(hidden) < LEAST_FACES:
        return
    originals, treated = (
        np.array([direction(vector) for vector in vectors])
        for vectors in zip(
            *((probe.original, probe.treated) for probe in hidden), strict=True
        )
    )
    pictures = np.unique([probe.picture for probe in hidden], return_inverse=True)[1]
    clean, alike = _Count(), _Count()
    for start in range(0, len(hidden), _ROWS):
        rows = slice(start, start + _ROWS)
        mates = originals[rows] @ originals.T >= _SAME
        clean.add(treated[rows] @ originals.T, mates, np.ones_like(mates))
        others = pictures[rows, None] != pictures[None, :]
        alike.add(treated[rows] @ treated.T, mates & others, others)
    yield from clean.finding("originals", may_fail=True)
    # Who treats pictures of known people alike is told of, but not promised against.
    yield from alike.finding("other outputs of the same person", may_fail=False)


@dataclass
class _Count:
    """How often the nearest of a gallery was right.

    Attributes:
        faces: how many had somebody to be found in the gallery.
        hits: for how many of them the nearest was the same person.
        expected: for how many chance would give that.
    """

    faces: int = 0
    hits: int = 0
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
        nearest = np.where(gallery, similarity, -np.inf).argmax(axis=1)
        is_hit = mates[np.arange(len(mates)), nearest]
        share = mates.sum(axis=1) / np.maximum(gallery.sum(axis=1), 1)
        self.faces += int(has_mate.sum())
        self.hits += int((is_hit & has_mate).sum())
        self.expected += float(share[has_mate].sum())

    def finding(self, gallery: str, *, may_fail: bool) -> Iterator[Finding]:
        """What the count tells, if there were enough faces."""
        if self.faces < LEAST_FACES or self.expected > _MOST_CHANCE * self.faces:
            return
        share, chance = self.hits / self.faces, self.expected / self.faces
        fails = may_fail and share >= _LEAST_SHARE and self._by_chance() < _HARDLY
        what = (
            f"of {self.faces} faces {self.hits} ({share:.1%}) are told by what is left "
            f"of them, among {gallery}; guessing tells {self.expected:.1f} "
            f"({chance:.1%})"
        )
        told: dict[str, float | str] = {
            "gallery": gallery,
            "faces": self.faces,
            "rank_1": round(share, 4),
            "chance": round(chance, 4),
        }
        yield Finding(Kind.RANK, fails, what, figures=told)

    def _by_chance(self) -> float:
        """A bound on how likely chance gives so many hits (Chernoff, Hoeffding)."""
        share, chance = self.hits / self.faces, self.expected / self.faces
        if share <= chance:
            return 1.0
        divergence = share * math.log(share / chance)
        if share < 1:
            divergence += (1 - share) * math.log((1 - share) / (1 - chance))
        return math.exp(-self.faces * divergence)
