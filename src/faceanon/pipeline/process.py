"""One input: from its file to its output, and to one outcome.

Two steps make the way: `find` ends in a record of the faces, `hide` goes on from it.
"""

import os
import time
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import BinaryIO, TypeAlias

import numpy as np

from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.boxes import Record, content_digest
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.media.clip import Clip, Frame, Header
from faceanon.media.reading import open_clip
from faceanon.media.writing import write
from faceanon.model import Face
from faceanon.pipeline.find import detects, find
from faceanon.pipeline.hide import hidden_frames, previewed_frames
from faceanon.pipeline.job import WORTH_A_NOTE, Job, Outcome, Status
from faceanon.pipeline.steps import CollectIdentities, Detect, Hide, Preview, Step
from faceanon.settings import Settings
from faceanon.storage.suffixes import SUFFIXES
from faceanon.vision import detection

Target: TypeAlias = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the output: a new file that can be read, written and sought in. It is called
once at most, when there is something to write."""


def attempted(job: Job, do: Callable[[], Outcome]) -> Outcome:
    """What comes of a job, whatever goes wrong with it.

    Whatever that is becomes text in the outcome; no exception leaves but those that end
    the process.
    """
    start = time.perf_counter()
    try:
        outcome = do()
    except StorageError as error:
        outcome = Outcome(job, Status.FAILED, error=str(error), stop=True)
    except FaceanonError as error:
        outcome = Outcome(job, Status.FAILED, error=str(error))
    except MemoryError:
        outcome = Outcome(job, Status.FAILED, error="there is not enough memory for it")
    except Exception as error:  # noqa: BLE001  the one place that catches everything
        outcome = Outcome(
            job,
            Status.FAILED,
            error=f"unexpected {type(error).__name__}: {error} (-vv tells where)",
            traceback=traceback.format_exc(),
        )
    return replace(outcome, seconds=time.perf_counter() - start)


def transform(job: Job, source: BinaryIO, target: Target, step: Step) -> Outcome:
    """Do a step with an input.

    Args:
        job: what is to be done; nothing is opened here.
        source: the input, which can be sought in.
        target: where to write the output to, if there is one.
        step: what to do.

    Returns:
        What came of it.

    Raises:
        PictureError: it cannot be done; the text says why.
    """
    settings = step.settings
    content = content_digest(source) if _needs_content(job, step) else ""
    with open_clip(source, settings.max_pixels) as clip:
        record, observations = find(
            clip,
            job.name,
            content,
            job.record,
            settings,
            observes=isinstance(step, CollectIdentities),
        )
        smallest = _smallest_face(clip.header, job, settings)
        outcome = Outcome(
            job,
            _status(record),
            record,
            smallest_face=smallest,
            notes=_notes(job, clip.header, smallest),
            observations=observations,
        )
        otherwise: dict[Face, str] = {}
        frames = _frames_to_write(clip, record, job, step, otherwise)
        if frames is None:
            return outcome
        with target() as file:
            jpeg = write(
                clip.header, frames, file, settings.writing, settings.max_pixels
            )
    status = outcome.status
    if isinstance(step, Hide) and record.hidden:
        is_same = all(otherwise.get(face) == LEFT_ALONE for face in record.hidden)
        status = Status.UNCHANGED if is_same else Status.ANONYMIZED
    return replace(outcome, status=status, otherwise=otherwise, jpeg=jpeg)


def _needs_content(job: Job, step: Step) -> bool:
    """Whether it matters which picture it is, for box files or to tell people apart."""
    if job.record is not None or not isinstance(step, Hide):
        return True
    return step.settings.pseudonyms > 0 and step.settings.identities is None


def _frames_to_write(
    clip: Clip,
    record: Record,
    job: Job,
    step: Step,
    otherwise: MutableMapping[Face, str],
) -> Iterator[Frame] | None:
    """What the output shows; None where there is none."""
    settings = step.settings
    match step:
        case Detect() | CollectIdentities():
            return None
        case Preview():
            return previewed_frames(clip, record)
        case Hide() if record.hidden:
            rng = random_for(job, settings)
            return hidden_frames(clip, record, settings, rng, otherwise)
        case Hide() if record.shown or _is_wanted_without_faces(settings):
            return clip.frames()
    return None


def _status(record: Record) -> Status:
    if record.hidden:
        return Status.FOUND
    return Status.NOBODY_HIDDEN if record.shown else Status.NO_FACES


def _is_wanted_without_faces(settings: Settings) -> bool:
    """Whether a picture without a face is written.

    Raises:
        PictureError: it is to fail.
    """
    if settings.no_face == "fail":
        raise PictureError("no face was found in it (--no-face fail)")
    return settings.no_face == "write"


def random_for(job: Job, settings: Settings) -> np.random.Generator:
    """The randomness for one input; with a seed, the same for the same name.

    It does not depend on which worker takes the input, or when.
    """
    if settings.seed is None:
        return np.random.default_rng()
    digest = blake2b(os.fsencode(job.name), digest_size=16).digest()
    return np.random.default_rng([settings.seed, int.from_bytes(digest, "little")])


def _smallest_face(header: Header, job: Job, settings: Settings) -> int:
    """See `Outcome.smallest_face`."""
    if not detects(job.record, settings):
        return 0
    how = settings.finding
    detector = detection.make(how.detector, how.accuracy)
    return detector.smallest_face(header.height, header.width)


def _notes(job: Job, header: Header, smallest_face: int) -> tuple[str, ...]:
    notes = []
    suffix = PurePosixPath(job.name).suffix
    if suffix and suffix.lower() not in SUFFIXES[header.format]:
        notes.append(f"it is a {header.format.upper()} file, whatever its name says")
    if smallest_face > WORTH_A_NOTE:
        notes.append(
            f"faces below {smallest_face} pixels are not seen in it; "
            "--detector centerface sees smaller ones in pictures of this size"
        )
    return tuple(notes)
