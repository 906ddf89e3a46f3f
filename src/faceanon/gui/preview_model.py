"""The pictures of INPUT, and the frame of one that is shown; knows nothing of Tk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from faceanon.boxes import Record, faces_of
from faceanon.gui import preview_worker
from faceanon.gui.background import Answer, Background
from faceanon.gui.choices import Values
from faceanon.gui.corrections import Corrections
from faceanon.gui.face_state import FaceState
from faceanon.gui.preview_worker import Part
from faceanon.model import Box, Face
from faceanon.pipeline.job import Job, Outcome, Status

LIST, SEARCH, VIEW = "list", "search", "view"


class PreviewModel:
    """Asks a worker process for what the preview shows, and for nothing twice.

    Attributes:
        jobs: the pictures of INPUT.
        seen: what was found in the picture at hand; None while it is looked for.
        frames: how many frames it has.
        frame: the number of the one that is shown.
        is_long: whether it is a film in which faces are looked for only in the frame
            that is shown.
        corrections: what has been corrected.
        part: the part of the picture that was asked for last.

    Args:
        methods: the names of all methods, for their samples.
        sample_size: width and height of a sample, in pixels.
    """

    def __init__(self, methods: Sequence[str], sample_size: tuple[int, int]) -> None:
        self.corrections = Corrections()
        self.jobs: tuple[Job, ...] = ()
        self.has_more = False
        self.index = 0
        self.seen: Outcome | None = None
        self.frames, self.frame = 1, 0
        self.is_long = False
        self._methods, self._sample_size = methods, sample_size
        self._background = Background()
        self._values: dict[str, Values] = {}
        self._method = ""
        self.part: Part | None = None

    @property
    def job(self) -> Job | None:
        """The picture at hand."""
        return self.jobs[self.index] if self.jobs else None

    @property
    def is_busy(self) -> bool:
        """Whether something is still being computed."""
        return self._background.is_busy

    @property
    def chooses_people(self) -> bool:
        """Whether faces are hidden by who they are."""
        values = self._values.get(self._method, {})
        return any(values[name] is not None for name in ("only", "except_"))

    @property
    def is_clip(self) -> bool:
        """Whether the picture has several frames or pages, of which one is shown."""
        return self.frames > 1

    def choose(self, method: str, values: dict[str, Values]) -> None:
        """Take what is chosen, and ask for what it changes.

        Args:
            method: the chosen one.
            values: of the command of each method.
        """
        before, self._values = self._values.get(self._method), values
        changed_method, self._method = method != self._method, method
        after = values[method]
        if before is None or _picks(before) != _picks(after):
            if before is None or before["source"] != after["source"]:
                self.corrections.clear()
            self.seen = None
            self._background.drop(SEARCH, VIEW, *self._samples())
            self._background.ask(LIST, preview_worker.listing, after)
        elif before != after or changed_method:
            if _finds(before) != _finds(after):
                self._search()
            else:
                self._show()

    def open(self, index: int) -> None:
        """Look at another picture."""
        self.index = index % len(self.jobs)
        self.frames, self.frame, self.is_long = 1, 0, False
        self._search()

    def show_frame(self, number: int) -> None:
        """Look at another frame of the picture."""
        number = min(max(number, 0), self.frames - 1)
        if number != self.frame:
            self.frame = number
            if self.is_long:
                self._search()
            else:
                self._show()

    def show(self, part: Part) -> None:
        """Ask for a part of the picture, before and after."""
        self.part = part
        if self.seen is not None and self.job is not None:
            arguments = (self._method, self._values[self._method], self._hidden())
            frame = preview_worker.FrameOf(self.job, self.frame)
            self._background.ask(VIEW, preview_worker.view, frame, *arguments, part)

    def poll(self) -> Answer | None:
        """The next answer; what this object needs of it has been taken in."""
        answer = self._background.poll()
        if answer is None:
            return None
        if answer.topic == LIST:
            name = self.job.name if self.job else ""
            listing = answer.result or preview_worker.Listing((), False)
            self.jobs, self.has_more = listing.jobs, listing.has_more
            names = [job.name for job in self.jobs]
            if name not in names:
                self.frame = 0
            self.index = names.index(name) if name in names else 0
            self._search()
        elif answer.topic == SEARCH and answer.result is not None:
            self.seen = answer.result.outcome
            self.frames = answer.result.frames
            self.is_long = answer.result.is_one_frame
            self.frame = min(self.frame, self.frames - 1)
            self._show()
        return answer

    def face_states(self) -> list[FaceState]:
        """The faces of the picture at hand, and what is to become of each."""
        if self.seen is None or self.job is None:
            return []
        record = self.corrections.of(self.job.name)
        kept = record.shown if record else ()
        unsure = [face for face in self.seen.unsure if face not in self.seen.faces]
        return [
            *(FaceState(face, "unsure") for face in self._here(unsure)),
            *(FaceState(face, "kept") for face in self._here(kept)),
            *(FaceState(face, "kept") for face in self._here(self.seen.shown)),
            *(FaceState(face, "hidden") for face in self._hidden()),
        ]

    def toggle(self, face: Face) -> None:
        """Keep a face that was to be hidden, or hide one that was not.

        Raises:
            BoxesError: the correction cannot be saved.
        """
        if self.seen is not None:
            self._corrected(self.seen, self.corrections.toggle(self.seen, face))

    def add(self, box: Box) -> None:
        """Hide what is in a box.

        Raises:
            BoxesError: the correction cannot be saved.
        """
        if self.seen is not None:
            frame = self.frame if self.is_clip else None
            record = self.corrections.add(self.seen, box, frame)
            self._corrected(self.seen, record)

    def undo(self) -> None:
        """Forget what has been corrected in the picture at hand.

        Raises:
            BoxesError: that cannot be saved.
        """
        if self.job is not None:
            self.corrections.undo(self.job.name)
            self._search()

    def belong_to(self, target: Path) -> None:
        """Keep the corrections beside an OUTPUT; those that are there are taken up.

        Raises:
            BoxesError: what is there cannot be read.
        """
        if self.corrections.belong_to(target):
            self._search()

    def close(self) -> None:
        """End the worker process."""
        self._background.close()

    def _corrected(self, seen: Outcome, record: Record) -> None:
        assert seen.record is not None, "it was read"
        self.seen = replace(seen, record=replace(seen.record, hidden=record.hidden))
        self._show()

    def _search(self) -> None:
        self.seen = None
        self._background.drop(VIEW, *self._samples())
        if self.job is None:
            return
        job = replace(self.job, record=self.corrections.of(self.job.name))
        frame = preview_worker.FrameOf(job, self.frame)
        arguments = self._method, self._values[self._method]
        self._background.ask(SEARCH, preview_worker.search, frame, *arguments)

    def _show(self) -> None:
        """Ask for all that follows from the faces of the picture."""
        if self.seen is None or self.seen.status is Status.FAILED:
            return
        if self.part is not None:
            self.show(self.part)
        assert self.job is not None, "something was found in it"
        frame = preview_worker.FrameOf(self.job, self.frame)
        for method, topic in zip(self._methods, self._samples(), strict=True):
            arguments = (method, self._values[method], self._hidden())
            self._background.ask(
                topic, preview_worker.sample, frame, *arguments, self._sample_size
            )

    def _samples(self) -> list[tuple[str, str]]:
        return [("sample", method) for method in self._methods]

    def _hidden(self) -> tuple[Face, ...]:
        faces = self.seen.faces if self.seen else ()
        return self._here(faces)

    def _here(self, faces: Sequence[Face]) -> tuple[Face, ...]:
        """Those of the faces that are in the frame that is shown."""
        return tuple(faces_of(faces, self.frame))


def _picks(values: Values) -> Values:
    """What decides on which pictures are listed."""
    names = ("source", "recursive", "follow_symlinks", "include", "exclude")
    return {name: values[name] for name in (*names, "shard")}


def _finds(values: Values) -> Values:
    """What may decide on which faces are found: all but what surely does not."""
    beside = {
        "target",
        "grow",
        "shape",
        "feather",
        "format",
        "quality",
        "metadata",
        "seed",
        "seed_file",
    }
    beside |= {"jobs", "overwrite", "timeout", "max_memory", "report", "thumbnail"}
    return {name: value for name, value in values.items() if name not in beside}
