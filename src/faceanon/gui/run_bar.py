"""The foot of the window: start, pause and cancel, and how far it has come."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.gui.runner import Progress, Runner
from faceanon.gui.theme import px
from faceanon.pipeline.progress import DOING


class RunBar(ttk.Frame):
    """Buttons and progress of a run.

    Args:
        parent: where it stands.
        start: starts a run.
        runner: the runs.
        open_output: opens the folder of outputs.
        show_command: shows the command that does the same.
    """

    def __init__(
        self,
        parent: tk.Misc,
        runner: Runner,
        start: Callable[[], None],
        open_output: Callable[[], None],
        show_command: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._runner, self._start = runner, start
        gap = px(self, 8)
        self.main = ttk.Button(
            self, text="Hide the faces", style="Accent.TButton", command=self._press
        )
        self.cancel = ttk.Button(self, text="Cancel", command=self._cancel)
        middle = ttk.Frame(self)
        self.open = ttk.Button(self, text="Open output", command=open_output)
        self.command = ttk.Button(self, text="Show the command", command=show_command)
        self.main.pack(side="left")
        self.cancel.pack(side="left", padx=(gap, 0))
        self.command.pack(side="right")
        self.open.pack(side="right", padx=(0, gap))
        middle.pack(side="left", fill="x", expand=True, padx=2 * gap)
        self.status = ttk.Label(middle, text="", style="Strong.TLabel", anchor="w")
        self.status.pack(fill="x")
        self.bar = ttk.Progressbar(middle, mode="determinate")
        self.bar.pack(fill="x", pady=(px(self, 4), px(self, 2)))
        self.detail = ttk.Label(middle, text="", style="Muted.TLabel", anchor="w")
        self.detail.pack(fill="x")
        self.ready("")

    def ready(self, hint: str) -> None:
        """Tell whether a run can be started.

        Args:
            hint: what is missing; empty when nothing is.
        """
        if self._runner.is_busy:
            return
        self.main.configure(
            text="Hide the faces", state="disabled" if hint else "normal"
        )
        self.command.configure(state="disabled" if hint else "normal")
        if hint or self._runner.state == "idle":
            self.status.configure(text=hint or "Ready", style="Strong.TLabel")

    def show(self) -> None:
        """Show how far the run has come."""
        progress, state = self._runner.progress, self._runner.state
        self.main.configure(
            state="disabled" if state == "cancelling" else "normal",
            text={"running": "Pause", "pausing": "Go on", "cancelling": "Pause"}.get(
                state, "Hide the faces"
            ),
        )
        self.cancel.configure(
            state="normal" if state in ("running", "pausing") else "disabled"
        )
        total = progress.total or 0
        # Some may have come or gone since they were counted.
        is_done = progress.end == "done"
        self.bar.configure(
            maximum=max(total, progress.done, 1),
            value=max(total, progress.done, 1) if is_done else progress.share,
        )
        self.status.configure(text=_status(progress, state), style=_style(progress))
        self.detail.configure(text=_counts(progress))

    def _press(self) -> None:
        match self._runner.state:
            case "running":
                self._runner.pause()
            case "pausing":
                self._runner.go_on()
            case "cancelling":
                return
            case _:
                self._start()
        self.show()

    def _cancel(self) -> None:
        self._runner.cancel()
        self.show()


def _status(progress: Progress, state: str) -> str:
    of = f" of {progress.total}" if progress.total is not None else ""
    text = f"{progress.done}{of} pictures"
    if progress.searched and not progress.done:
        text = f"{progress.searched}{of} pictures searched"
    left = progress.seconds_left
    failed, took = len(progress.failures), duration(progress.seconds)
    complaints = list(progress.summary.complaints()) if progress.end == "done" else []
    texts = {
        "refused": progress.message,
        "cancelled": "Cancelled. What is finished stays; start again to go on.",
        "done": f"Done in {took}, but {failed} failed: see Failures"
        if failed
        else "; ".join(complaints) or f"Done in {took}",
        "running": text if left is None else f"{text}, {duration(left)} left",
        "pausing": f"Paused at {text}",
        "cancelling": "Cancelling …",
    }
    return texts.get(progress.end or state, "")


def _style(progress: Progress) -> str:
    is_bad = progress.failures or any(progress.summary.complaints())
    if progress.end == "refused" or (progress.end == "done" and is_bad):
        return "Bad.TLabel"
    return "Good.TLabel" if progress.end == "done" else "Strong.TLabel"


def _counts(progress: Progress) -> str:
    summary, all_counts = progress.summary, progress.summary.counts
    counts = [
        (all_counts.faces - all_counts.otherwise[LEFT_ALONE], "faces hidden"),
        (len(progress.without), "without a face"),
        (len(progress.failures), "failed"),
        (all_counts.to_check, "to check by eye"),
        (summary.ignored.total(), "files ignored"),
        (summary.done_before, "already done"),
    ]
    said = [
        f"{number} {what}"
        for number, what in counts
        if progress.done and (number or what == "faces hidden")
    ]
    for name, film in progress.films.items():
        share = min(100 * film.done // max(film.total, 1), 100)
        said.append(f"{name}: {DOING[film.phase]} {share} %")
    said += progress.notes
    return "  ·  ".join(said)


def duration(seconds: float) -> str:
    """A time to wait, as one says it.

    >>> duration(8), duration(170), duration(9000)
    ('8 s', '3 min', '2 h 30 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
