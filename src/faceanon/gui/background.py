"""One worker process for the preview, of which only the latest question matters."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from faceanon.batch.isolated import Isolated
from faceanon.batch.workers import Limits
from faceanon.errors import FaceanonError

TIMEOUT = 120.0
"""Seconds after which a picture is given up."""

_MEGABYTES = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a question.

    Attributes:
        topic: of the question.
        result: what the function returned; None when it failed.
        problem: why it failed; empty when it did not.
    """

    topic: Hashable
    result: Any
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Question:
    topic: Hashable
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class _Calls:
    """Calls functions; see `isolated.Work`."""

    def __call__(self, question: _Question) -> Answer:
        try:
            return Answer(question.topic, question.function(*question.arguments))
        except FaceanonError as error:
            return Answer(question.topic, None, str(error))
        except MemoryError:
            return Answer(question.topic, None, "there is not enough memory for it")
        except Exception as error:  # noqa: BLE001  shown, as the window must not die
            problem = f"unexpected {type(error).__name__}: {error}"
            return Answer(question.topic, None, problem)

    def failed(self, question: _Question, reason: str) -> Answer:
        problem = f"the preview of it died or took too long: {reason}"
        return Answer(question.topic, None, problem)

    def clear_away(self, question: _Question) -> None:
        """Nothing is written."""

    def attempts(self, question: _Question) -> int:
        return 1

    def has_time_limit(self, question: _Question) -> bool:
        return True


class Background:
    """Asks a worker process, one question at a time; call it from one thread only.

    A question replaces an earlier one of the same topic: one that waits is not asked,
    and of one that is under way the answer is dropped. A picture that kills or hangs
    the worker costs its own answer only.
    """

    def __init__(self) -> None:
        limits = Limits(TIMEOUT, _MEGABYTES)
        self._process: Isolated[_Question, Answer] = Isolated(_Calls(), 1, limits)
        self._waiting: dict[Hashable, _Question] = {}
        self._asked: tuple[Hashable, Future[Answer]] | None = None
        self._outdated = False

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting) or self._asked is not None

    def ask(
        self, topic: Hashable, function: Callable[..., Any], *arguments: object
    ) -> None:
        """Ask something; the topics that were asked first are answered first.

        Args:
            topic: what the answer is for.
            function: of a module, so that the worker can import it.
            *arguments: plain data.
        """
        self.drop(topic)
        self._waiting[topic] = _Question(topic, function, arguments)

    def drop(self, *topics: Hashable) -> None:
        """Want no answer any more."""
        for topic in topics:
            self._waiting.pop(topic, None)
            if self._asked is not None and self._asked[0] == topic:
                self._outdated = True

    def poll(self) -> Answer | None:
        """The next answer, if there is one."""
        answer = self._answer()
        if self._asked is None and self._waiting:
            topic = next(iter(self._waiting))
            future = self._process.submit(self._waiting.pop(topic))
            self._asked, self._outdated = (topic, future), False
        return answer

    def _answer(self) -> Answer | None:
        if self._asked is None or not self._asked[1].done():
            return None
        (topic, future), self._asked = self._asked, None
        if self._outdated:
            return None
        try:
            return future.result()
        except FaceanonError as error:  # no process can be started
            return Answer(topic, None, str(error))

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        self._process.close()
