"""A run in the background, to be looked at from a window; knows nothing of Tk."""

import queue
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from faceanon.batch import runs
from faceanon.batch.control import Control
from faceanon.batch.planning.plan import Plan
from faceanon.batch.report import Summary, counts_of
from faceanon.batch.run_options import RunOptions
from faceanon.errors import FaceanonError
from faceanon.gui.choices import Values
from faceanon.gui.settings_from_form import settings_of_run
from faceanon.options import build
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.progress import Phase
from faceanon.pipeline.progress import Progress as FilmProgress
from faceanon.pipeline.steps import Hide
from faceanon.requests.planning import plan_of
from faceanon.requests.reports import open_report
from faceanon.storage.names import shown

# Where each phase of a film begins, and how much of its time it takes, about.
_PHASES: Mapping[Phase, tuple[float, float]] = {
    "find": (0, 0.6),
    "look": (0.6, 0.1),
    "hide": (0.7, 0.3),
}

State: TypeAlias = Literal["idle", "running", "pausing", "cancelling", "over"]
End: TypeAlias = Literal["done", "cancelled", "refused"]


_News: TypeAlias = Outcome | int | tuple[str, FilmProgress] | tuple[End, str] | None


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        total: how many pictures there are; None while they are counted.
        searched: how many were searched for people before the first is done.
        summary: the counts of what is done.
        failures: the pictures that failed, and why.
        without: the pictures in which no face was found.
        notes: what the user should know of the run as a whole.
        seconds: how long it has been running, without pauses.
        films: how far the films have come that are being worked on, by their names.
        end: how it ended; None while it goes on.
        message: why it was refused.
    """

    total: int | None = None
    searched: int = 0
    summary: Summary = field(default_factory=Summary)
    failures: list[tuple[str, str]] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    films: dict[str, FilmProgress] = field(default_factory=dict)
    end: End | None = None
    message: str = ""

    @property
    def done(self) -> int:
        """How many pictures are done, in whichever way."""
        return self.summary.total

    @property
    def share(self) -> float:
        """How many pictures are done, with the parts of films, about."""
        return self.done + sum(
            start + part * min(film.done / max(film.total, 1), 1)
            for film in self.films.values()
            for start, part in (_PHASES[film.phase],)
        )

    @property
    def seconds_left(self) -> float | None:
        """How long it will take still; None when that cannot be told yet."""
        worked = self.done - self.summary.done_before
        if self.total is None or worked < 2:
            return None
        return (self.total - self.done) * self.seconds / worked

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in."""
        self.summary.add(outcome)
        self.films.pop(shown(outcome.job.name), None)
        if outcome.status is Status.FAILED:
            self.failures.append((shown(outcome.job.name), shown(outcome.error)))
        elif (counts := counts_of(outcome)) and counts.statuses[Status.NO_FACES]:
            self.without.append(shown(outcome.job.name))


class _CancelledError(Exception):
    """A run is cancelled while a film is worked on."""


class Runner:
    """Does runs, one at a time, in a thread.

    The thread pulls outcomes and puts them into a queue; `poll`, called from the
    window's thread, takes them out. A pause stops the pulling, so that no new picture
    is begun once those in hand are done. A cancel closes the run: what is finished
    stays, what is not leaves nothing behind.
    """

    def __init__(self) -> None:
        self.progress = Progress()
        self.state: State = "idle"
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._may_go_on = threading.Event()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a run has been started and is not over."""
        return self.state not in ("idle", "over")

    def start(self, method: str, values: Values) -> None:
        """Start a run; what it refuses is told by `progress`."""
        assert not self.is_busy, "one run at a time"
        self.progress = Progress()
        self._news = queue.SimpleQueue()
        self._cancelled.clear()
        self._may_go_on.set()
        self.state, self._last = "running", time.monotonic()
        self._thread = threading.Thread(
            target=self._work, args=[method, values], name="run"
        )
        self._thread.start()

    def pause(self) -> None:
        """Begin no new picture until `go_on`."""
        if self.state == "running":
            self._may_go_on.clear()
            self.state = "pausing"

    def go_on(self) -> None:
        """End a pause."""
        if self.state == "pausing":
            self.state = "running"
            self._may_go_on.set()

    def cancel(self) -> None:
        """End the run as soon as can be."""
        if self.is_busy:
            self._cancelled.set()
            self._may_go_on.set()
            self.state = "cancelling"

    def wait(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join()

    def poll(self) -> bool:
        """Take in what is new; whether anything is."""
        now = time.monotonic()
        if self.state == "running":
            self.progress.seconds += now - self._last
        self._last = now
        changed = False
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return changed
            changed = True
            match news:
                case None:
                    self.progress.searched += 1
                case int():
                    self.progress.total = news
                case (str(name), FilmProgress() as film):
                    self.progress.films[name] = film
                case Outcome():
                    self.progress.add(news)
                case (end, str(message)):
                    self.progress.films.clear()
                    self.progress.end = end
                    self.progress.message = message
                    self.state = "over"

    def _work(self, method: str, values: Values) -> None:
        try:
            end, message = self._run(method, values), ""
        except FaceanonError as error:
            end, message = "refused", str(error)
        except Exception as error:  # noqa: BLE001  the window must hear of it
            end, message = "refused", f"unexpected {type(error).__name__}: {error}"
        self._news.put((end, message))

    def _run(self, method: str, values: Values) -> End:
        settings = settings_of_run(method, values)
        run_options = build(RunOptions, values)
        plan = plan_of(values, settings, run_options)
        control = Control()
        control.searched = lambda: self._count_searched(control)
        control.progressed = self._tell_progress
        control.said = self._tell_of_run
        threading.Thread(
            target=self._count, args=[plan, self._news], daemon=True
        ).start()
        outcomes = runs.run(plan, Hide(settings), run_options, control)
        with (
            open_report(values["report"], settings, plan.root) as report,
            suppress(_CancelledError),
            closing(outcomes),
        ):
            for outcome in self._until_cancelled(outcomes):
                report.add(outcome)
                self._news.put(outcome)
        summary = self.progress.summary
        summary.unmet = tuple(sorted(plan.walk.unmet))
        summary.allow_empty = run_options.allow_empty
        return "cancelled" if self._cancelled.is_set() else "done"

    def _tell_of_run(self, text: str) -> None:
        # Before the first picture is begun, while nobody reads them yet.
        self.progress.notes += (text,)

    def _count_searched(self, control: Control) -> None:
        self._news.put(None)
        self._may_go_on.wait()
        control.is_stopped = self._cancelled.is_set()

    def _tell_progress(self, job: Job, progress: FilmProgress) -> None:
        self._news.put((shown(job.name), progress))
        # A film may take hours: it does not come to its end first.
        if self._cancelled.is_set():
            raise _CancelledError

    def _until_cancelled(
        self, outcomes: Generator[Outcome, None, None]
    ) -> Generator[Outcome, None, None]:
        for outcome in outcomes:
            yield outcome
            self._may_go_on.wait()
            if self._cancelled.is_set():
                return

    @staticmethod
    def _count(plan: Plan, news: "queue.SimpleQueue[_News]") -> None:
        news.put(plan.source.count())
