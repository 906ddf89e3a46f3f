"""The pictures of one dataset file: handed out, taken back in order, accounted for."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from faceanon.batch.isolated import Isolated
from faceanon.batch.work import Result, Task
from faceanon.boxes import NOT_IN_BOX_FILE
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.settings import Settings
from faceanon.storage.places import Stamp
from faceanon.storage.suffixes import suffixed

LARGEST = 2**28
"""How many bytes a picture in a dataset file has at most: several wait in memory."""

# Pictures that are read ahead for each process, and what else may lie between them.
_AHEAD = 2
_MOST_WAITING = 200


class Piece(Protocol):
    """A piece of a dataset file, to be written after those before it."""

    @property
    def pictures(self) -> int:
        """How many of its pictures are being done."""

    @property
    def is_unread(self) -> bool:
        """Whether it must be taken before anything after it can be read."""


AnyPiece = TypeVar("AnyPiece", bound=Piece)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is being done.

    Attributes:
        member: its name in the dataset file.
        future: what will have come of it.
    """

    member: str
    future: Future[Result]


class Pictures:
    """Does the pictures of a dataset file and keeps the outcome of each.

    Args:
        job: the dataset file.
        settings: what to do with its pictures.
        processes: do them.
    """

    def __init__(
        self, job: Job, settings: Settings, processes: Isolated[Task, Result]
    ) -> None:
        self._job = job
        self._settings = settings
        self._processes = processes
        self.outcomes: list[Outcome] = []

    def begin(self, member: str, data: bytes, done: bytes | None = None) -> Picture:
        """Begin with a picture.

        Args:
            member: its name in the dataset file.
            data: the picture.
            done: what an earlier run has made of it; None if that is to be done.
        """
        if len(data) > LARGEST:
            return self.refuse_size(member, len(data))
        job = self._job.of_member(member)
        if done is not None:
            outcome = Outcome(
                job,
                Status.SKIPPED,
                source_stamp=Stamp(len(data), 0),
                target_stamp=Stamp(len(done), 0),
            )
            return Picture(member, _settled(outcome, done))
        is_known = self._job.records is None or job.record is not None
        if not (is_known or self._settings.also_detect):
            return self.fail(member, NOT_IN_BOX_FILE)
        return Picture(member, self._processes.submit(Task(job, data)))

    def fail(self, member: str, reason: str) -> Picture:
        """A picture that cannot be begun with."""
        job = self._job.of_member(member)
        return Picture(
            member, _settled(Outcome(job, Status.FAILED, error=reason), None)
        )

    def refuse_size(self, member: str, size: int) -> Picture:
        """A picture that is too large to wait in memory."""
        return self.fail(
            member,
            f"it has {size} bytes, more than the {LARGEST} that a picture in a dataset "
            "file may have; do it by itself",
        )

    def end(self, picture: Picture) -> bytes | None:
        """Wait for a picture, note its outcome, and give its output, if any."""
        result = picture.future.result()
        outcome = result.outcome
        is_written = outcome.target_stamp is not None
        assert is_written is (result.output is not None), "the output went elsewhere"
        # All that tells it from the others, of which there are many.
        slim = Job(outcome.job.name, None, None, member=picture.member)
        self.outcomes.append(replace(outcome, job=slim))
        return result.output

    def in_order(self, pieces: Iterable[AnyPiece]) -> Iterator[AnyPiece]:
        """The same pieces, read ahead as far as it keeps the processes busy."""
        waiting: deque[AnyPiece] = deque()
        under_way = 0
        for piece in pieces:
            waiting.append(piece)
            under_way += piece.pictures
            while waiting and (
                piece.is_unread
                or under_way > self._processes.count * _AHEAD
                or len(waiting) > _MOST_WAITING
            ):
                under_way -= waiting[0].pictures
                yield waiting.popleft()
        yield from waiting

    def suffixed(self, name: str) -> str:
        """What a picture is called in the format that is asked for."""
        return suffixed(name, self._settings.writing.format)


def _settled(outcome: Outcome, output: bytes | None) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(Result(outcome, output))
    return future
