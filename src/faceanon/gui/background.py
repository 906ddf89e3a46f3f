"""One worker process for the preview, of which only the latest question matters."""

import multiprocessing
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from pebble import ProcessExpired, ProcessPool

from faceanon.errors import FaceanonError

TIMEOUT = 120.0
"""Seconds after which a picture is given up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

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
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Background:
    """Asks a worker process, one question at a time; call it from one thread only.

    A question replaces an earlier one of the same topic: one that waits is not asked,
    and of one that is under way the answer is dropped. A picture that kills or hangs
    the worker costs its own answer only.
    """

    def __init__(self) -> None:
        self._pool: ProcessPool | None = None
        self._waiting: dict[Hashable, _Question] = {}
        self._asked: tuple[Hashable, Future[Any]] | None = None
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
        self._waiting[topic] = _Question(function, arguments)

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
            question = self._waiting.pop(topic)
            future = self._running_pool().schedule(
                question.function, args=question.arguments, timeout=TIMEOUT
            )
            self._asked, self._outdated = (topic, future), False
        return answer

    def _answer(self) -> Answer | None:
        if self._asked is None or not self._asked[1].done():
            return None
        (topic, future), self._asked = self._asked, None
        if self._outdated:
            return None
        try:
            return Answer(topic, future.result())
        except FaceanonError as error:
            return Answer(topic, None, str(error))
        except (ProcessExpired, TimeoutError):
            return Answer(topic, None, "the preview of it died or took too long")
        except Exception as error:  # noqa: BLE001  shown, as the window must not die
            return Answer(topic, None, f"unexpected {type(error).__name__}: {error}")

    def _running_pool(self) -> ProcessPool:
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1, context=multiprocessing.get_context("spawn")
            )
        return self._pool

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]  # pebble's
            self._pool.join()
            self._pool = None
