"""What others may do to a run while it goes on, and what they hear of it."""

from collections.abc import Callable
from dataclasses import dataclass

from faceanon.pipeline.job import Job
from faceanon.pipeline.progress import Progress


@dataclass
class Control:
    """The strings of a run.

    Attributes:
        is_stopped: whether no further picture is to be begun.
        searched: called after each picture that was searched for people, before the
            run began.
        progressed: called, in any thread, when a film has come further.
        said: called with what the user should know of the run as a whole.
    """

    is_stopped: bool = False
    searched: Callable[[], object] = lambda: None
    progressed: Callable[[Job, Progress], object] = lambda *_: None
    said: Callable[[str], object] = lambda _: None
