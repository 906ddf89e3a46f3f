"""Which output belongs to which input, and what belongs to none."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from faceanon.anonymizers.base import Guarantee
from faceanon.audit.verify.findings import Finding, Kind
from faceanon.audit.verify.run_report import Shown, Told, Track
from faceanon.batch.planning.make_plan import make_plan
from faceanon.batch.planning.plan import InputFilter
from faceanon.errors import FaceanonError
from faceanon.media.reading import VIDEO_AS_IT_IS
from faceanon.media.video.options import VideoOptions
from faceanon.pipeline.job import Job, Outcome
from faceanon.storage.names import is_state, shown
from faceanon.storage.suffixes import FILM_SUFFIXES, SUFFIXES, film_format

# What other tools put behind the names of outputs.
_ENDINGS = ("", "_anonymized")

_PICTURE_SUFFIXES = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]
_FILM_SUFFIXES = sorted(FILM_SUFFIXES)

# faceanon's own, which holds digests.


@dataclass(frozen=True, slots=True)
class Pair:
    """An input, and the output that was made of it.

    Attributes:
        name: the input's path below IN.
        source: the input.
        target: the output.
        output: the output's path below OUT.
        is_plain: whether the input was a regular file, and no link, when it was listed.
        guarantee: what the method of the run promises.
        shown: the faces that were not to be hidden; see `Told.shown`.
        keeps_time: whether the output may tell a time.
        tracks: of a film, its faces, as the report tells them.
        video: of a film, which part of it the output was made of, and how.
        is_told: whether a report tells of it.
    """

    name: str
    source: Path
    target: Path
    output: str
    is_plain: bool = False
    guarantee: Guarantee = Guarantee.HIDDEN
    shown: tuple[Shown, ...] = ()
    keeps_time: bool = False
    tracks: tuple[Track, ...] = ()
    video: VideoOptions = VIDEO_AS_IT_IS
    is_told: bool = False


class Pairing:
    """The pictures of a run with their outputs.

    Args:
        source: IN, a folder or a picture.
        target: OUT, a folder or a picture.
        input_filter: what to take of IN.
        guarantee: what the run promises; None for what the report says, and without one
            for the strictest guarantee.
        report: what the report of the run tells of each picture.
        part: which part of films the run has taken; what it leaves open, the report
            tells.

    Raises:
        FaceanonError: there is nothing of the kind.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        input_filter: InputFilter,
        guarantee: Guarantee | None,
        report: Mapping[str, Told],
        *,
        part: VideoOptions = VIDEO_AS_IT_IS,
    ) -> None:
        if not target.exists():
            raise FaceanonError(f"{shown(target)} does not exist")
        self._plan = make_plan(source, target, input_filter=input_filter)
        self._source, self._filter = source, input_filter
        self._guarantee, self._report, self._part = guarantee, report, part
        self._root = target if target.is_dir() else target.parent
        self._is_folder = source.is_dir()
        self._unclaimed = set(_files_below(target)) if self._is_folder else set()
        self.findings: list[Finding] = []
        self.files = len(self._unclaimed) or 1
        """How many files there are in OUT, about as many as there are outputs."""

    def pairs(self) -> Iterator[Pair]:
        """Each input with its output; `findings` are complete when the last was given.

        Raises:
            FaceanonError: there are no pictures.
        """
        is_empty = True
        for job in self._plan.jobs():
            if isinstance(job, Outcome):  # what is not taken has no output
                continue
            is_empty = False
            assert isinstance(job.source, Path), "it was found in IN"
            told = self._report.get(job.name)
            output = self._output(job, told)
            if output is None:
                if told is None or told.output is not None:
                    what = "there is no output of it"
                    self._add(Kind.MISSING, what, input_=job.name)
                continue
            self._unclaimed.discard(output)
            usual = told.guarantee if told else Guarantee.HIDDEN
            yield Pair(
                job.name,
                job.source,
                self._root / output,
                output,
                job.is_plain,
                guarantee=self._guarantee or usual,
                shown=told.shown if told else (),
                keeps_time=told is not None and told.keeps_time,
                tracks=told.tracks if told else (),
                video=self._video(told),
                is_told=told is not None,
            )
        for folder, reason in self._plan.walk.problems:
            self._add(Kind.NOT_COMPARED, f"cannot be read: {reason}", input_=folder)
        for output in sorted(self._unclaimed):
            if not (is_state(PurePath(output).name) or self._passed(output)):
                what = "no picture in IN belongs to it; it may be anything"
                self._add(Kind.STRAY, what, output=output)
        if is_empty and not self.findings:
            raise FaceanonError(f"{shown(self._source)} holds no pictures")

    def _video(self, told: Told | None) -> VideoOptions:
        """How films were read and written."""
        part = self._part
        if told is None or part.start is not None or part.end is not None:
            usual = told.video if told else part
            return replace(usual, from_=part.from_, to=part.to)
        return told.video

    def _add(
        self,
        kind: Kind,
        what: str,
        input_: str | None = None,
        output: str | None = None,
    ) -> None:
        self.findings.append(Finding(kind, True, what, input_, output))

    def _passed(self, output: str) -> bool:
        """Whether a file is outside of what was chosen."""
        is_deep = not self._filter.recursive and "/" in output
        return is_deep or self._filter.excludes(output, is_folder=False)

    def _output(self, job: Job, told: Told | None) -> str | None:
        """The path of the output below OUT; None if there is none."""
        if not self._is_folder:
            assert isinstance(job.target, Path), "OUT was given, on this machine"
            return job.target.name if os.path.lexists(job.target) else None
        if told is not None and told.output is not None:
            return self._told(Path(told.output))
        stem, own = os.path.splitext(job.name)  # noqa: PTH122  a string, and many
        is_film = film_format(job.name) is not None
        suffixes = _FILM_SUFFIXES if is_film else _PICTURE_SUFFIXES
        for ending in _ENDINGS:
            for suffix in (own, *suffixes):
                name = f"{stem}{ending}{suffix}"
                # Another input of the same stem may have lost its own output.
                is_others = name != job.name and os.path.lexists(self._source / name)
                if name in self._unclaimed and not is_others:
                    return name
        return None

    def _told(self, path: Path) -> str | None:
        """The output that a report names."""
        root = self._root.resolve()
        if (absolute := path.absolute()).is_relative_to(root):
            return self._known(absolute.relative_to(root).as_posix())
        # The run was started somewhere else, or OUT has been moved.
        tails = ("/".join(path.parts[start:]) for start in range(len(path.parts)))
        return next((name for name in tails if self._known(name)), None)

    def _known(self, name: str) -> str | None:
        return name if name in self._unclaimed else None


def _files_below(folder: Path) -> Iterator[str]:
    """All files of a folder, as paths below it; links, too, which are not followed."""
    for path, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(path) / name).is_symlink()]
        for name in (*names, *links):
            yield (Path(path) / name).relative_to(folder).as_posix()
