"""One input: from its file to its output, and to one outcome.

Two steps make the way: `find` ends in a record of the faces, `hide` goes on from it.
"""

import os
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import BinaryIO, TypeAlias

import numpy as np

from faceanon import options
from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.boxes import Record, content_digest, update_by_file
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.media.clip import Header
from faceanon.media.reading import open_clip
from faceanon.media.writing import write
from faceanon.model import Face
from faceanon.pipeline.find import detects, find
from faceanon.pipeline.hide import hidden_frames, previewed_frames
from faceanon.pipeline.job import WORTH_A_NOTE, Job, Outcome, Status
from faceanon.pipeline.steps import CollectIdentities, Hide, Preview, Step
from faceanon.settings import Settings
from faceanon.storage.renaming import stretched
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
    rng = random_for(job, settings, source if isinstance(step, Hide) else None)
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
        frames = None
        if isinstance(step, Preview):
            frames = previewed_frames(clip, record)
        elif isinstance(step, Hide) and _is_written(record, settings):
            given = job.record.shown if job.record else ()
            all_faces = replace(record, shown=(*record.shown, *given))
            frames = hidden_frames(clip, all_faces, settings, rng, otherwise)
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


def _status(record: Record) -> Status:
    if record.hidden:
        return Status.FOUND
    return Status.NOBODY_HIDDEN if record.shown else Status.NO_FACES


def _is_written(record: Record, settings: Settings) -> bool:
    """Whether a picture is written: those with a face are, others as is asked for.

    Raises:
        PictureError: it is to fail.
    """
    if record.hidden or record.shown:
        return True
    if settings.no_face == "fail":
        raise PictureError("no face was found in it (--no-face fail)")
    return settings.no_face == "write"


def random_for(
    job: Job, settings: Settings, source: BinaryIO | None = None
) -> np.random.Generator:
    """The randomness for one input.

    It does not depend on which worker takes the input, or when. With a seed, it is the
    same for the same name. Where several outputs of one picture would tell more than
    one, it is the same for the same picture: nobody can guess it who has not the
    picture itself.

    Args:
        job: the input; only its name counts.
        settings: with the seed, if there is one.
        source: the file; None where no output is kept.
    """
    anonymizer = settings.anonymizer
    repeats = anonymizer is not None and anonymizer.weakened_by_repetition
    if settings.seed is None and not (repeats and source):
        return np.random.default_rng()
    key = b"" if settings.seed is None else stretched(settings.seed, b"randomness")
    digest = blake2b(key=key, digest_size=32, person=b"faceanon noise")
    if repeats and source:
        # With other options there is other noise, or one would be taken from the other.
        digest.update(repr(options.values(anonymizer)).encode())
        update_by_file(digest, source)
    else:
        digest.update(os.fsencode(job.name))
    return np.random.default_rng(int.from_bytes(digest.digest(), "little"))


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
