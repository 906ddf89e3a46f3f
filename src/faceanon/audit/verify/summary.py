"""The outcome of an audit: counts, the verdict, the exit status."""

from collections import Counter
from dataclasses import dataclass, field

from faceanon.audit.verify.audit import Audited
from faceanon.audit.verify.findings import OF_A_FACE, Finding, Kind
from faceanon.batch.wording import counted, listed

UNKNOWABLE = (
    "Whether somebody who trains a recogniser on pictures that were treated the same "
    "way can tell the faces: filters of their pixels leave something to learn from.",
    "Whether clothes, hair, tattoos, the place or the company tell who it is.",
    "Whether there are faces that the detector sees neither in the input nor in the "
    "output. Look at the outputs.",
    "What is hidden in the pixels themselves, such as watermarks.",
)
"""What no audit of this kind can tell, a sentence each."""

UNKNOWABLE_OF_FILMS = (
    "What the frames of films show that were not looked at.",
    "Whether voices, or what they say, tell who it is.",
)
"""What none can tell of films besides."""


@dataclass
class Summary:
    """Counts of what was found.

    Attributes:
        outputs: how many were audited.
        found: in how many of them something was found.
        failed: how many of them fail the audit.
        faces: how many faces were clear enough to be recognised in the input.
        films: how many of the outputs are films.
        frames: how many frames of films were compared.
        looked: in how many of them faces were looked for.
        failures: by what the audit fails, and how often.
        notes: what else was found, and how often.
    """

    outputs: int = 0
    found: int = 0
    failed: int = 0
    faces: int = 0
    films: int = 0
    frames: int = 0
    looked: int = 0
    failures: Counter[Kind] = field(default_factory=Counter)
    notes: Counter[Kind] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        (self.failures if finding.fails else self.notes)[finding.kind] += 1

    def add_output(self, audited: Audited) -> None:
        """Count an output; its findings are counted one by one."""
        self.outputs += 1
        self.found += bool(audited.findings)
        self.failed += any(finding.fails for finding in audited.findings)
        self.faces += len(audited.probes)
        self.films += bool(audited.frames)
        self.frames += audited.frames
        self.looked += audited.looked

    @property
    def exit_status(self) -> int:
        """1 if something can be told, or could not be audited; else 0."""
        return 1 if self.failures else 0

    @property
    def unknowable(self) -> tuple[str, ...]:
        """What this audit cannot tell, a sentence each."""
        return UNKNOWABLE + (UNKNOWABLE_OF_FILMS if self.films else ())

    @property
    def _open(self) -> int:
        """How many faces can be told, of which the method promises nothing."""
        return sum(self.notes[kind] for kind in OF_A_FACE)

    def verdict(self) -> str:
        """The result in a few words."""
        if not self.failures and self._open:
            faces = counted(self._open, "face")
            return f"This method promises nothing: {faces} can be told"
        if not self.failures:
            return "Nothing was found that should be hidden"
        count = self.failures.total()
        return f"{counted(count, 'thing')} to mend"

    def line(self) -> str:
        """The summary, one line."""
        line = (
            f"audited {counted(self.outputs, 'output')}{self._of_films()}, "
            f"{counted(self.faces, 'face')} by a recogniser: "
        )
        if self.failures:
            line += f"{self.failed} FAILED; {listed(self.failures)}"
        elif self._open:
            faces = counted(self._open, "face")
            line += f"this method promises nothing, and {faces} can be told"
        else:
            line += "nothing found that should be hidden"
        if self.notes:
            line += f"; notes: {listed(self.notes)}"
        return line

    def _of_films(self) -> str:
        if not self.films:
            return ""
        films = counted(self.films, "film")
        return f" ({films}: {looked_at(self.looked, self.frames)})"


def looked_at(looked: int, frames: int) -> str:
    """How many frames of films were looked at, in words.

    >>> looked_at(60, 1800)
    '60 of 1,800 frames looked at'
    """
    return f"{looked:,} of {frames:,} frames looked at"
