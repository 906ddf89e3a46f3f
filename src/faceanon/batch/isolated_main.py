"""The process behind `isolated`: tasks in, results out, until the end.

It reads from standard input and answers on standard output, in pickles.
"""

import os
import pickle
import sys
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from faceanon.batch.workers import configure_worker
from faceanon.pipeline.progress import tell_to


def main() -> None:
    """Do the tasks that come in; end when the other side does."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever else writes to standard output must not get among the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    work, megabytes = pickle.load(questions)
    configure_worker(megabytes)
    _answer(answers, None)
    tell_to(partial(_answer, answers))
    queue: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_receive, args=(questions, queue), daemon=True).start()
    while True:
        task = queue.get()
        # From here on, its fate is that of this process.
        _answer(answers, None)
        _answer(answers, work(task))


def _receive(questions: BinaryIO, queue: "SimpleQueue[Any]") -> None:
    while True:
        try:
            queue.put(pickle.load(questions))
        except EOFError:
            # Nobody is there any more to take what is being done.
            os._exit(0)
        except BaseException:  # noqa: BLE001  none of its threads may wait for more
            os._exit(1)


def _answer(answers: BinaryIO, answer: object) -> None:
    pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()


if __name__ == "__main__":
    main()
