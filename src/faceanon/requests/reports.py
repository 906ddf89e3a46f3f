"""The report that somebody has asked for, open for lines."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from faceanon.batch.report import ReportFile
from faceanon.errors import FaceanonError
from faceanon.settings import Settings
from faceanon.storage import streams
from faceanon.storage.buckets.report import local_report
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place, place
from faceanon.storage.renaming import check_outside


@contextmanager
def open_report(
    path: str | None, settings: Settings, root: Place | None
) -> Iterator[ReportFile]:
    """The file, object or stream that `--report` names; nowhere for None.

    Args:
        path: the name.
        settings: of the run.
        root: the folder of outputs; None for a single one.

    Raises:
        FaceanonError: it cannot be written, or would lie beside outputs with names
            that are to tell nothing.
    """
    with ExitStack() as stack:
        target: Place | IO[str] | None = None
        if path is not None:
            target = sys.stdout if path in streams.OUTPUTS else place(path)
        if isinstance(target, Path) and settings.rename is not None:
            check_outside(target, root, "--report")
        if isinstance(target, BucketObject):
            target = stack.enter_context(local_report(target))
        try:
            report = ReportFile(target, settings)
        except OSError as error:
            raise FaceanonError(
                f"the report {shown(path)} cannot be written: {error.strerror}"
            ) from error
        yield stack.enter_context(report)
