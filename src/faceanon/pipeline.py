"""One picture: from its file to its output, and to one outcome."""

import errno
import os
import stat
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from faceanon.boxes import content_digest
from faceanon.decoding import decode
from faceanon.encoding import encode
from faceanon.errors import PictureError, StorageError
from faceanon.finding import SAME_FACE, Found, find_faces
from faceanon.jobs import Job, Outcome, Stamp, Status
from faceanon.model import Face, Image
from faceanon.names import shown
from faceanon.picture import SUFFIXES, Picture
from faceanon.preview import drawn
from faceanon.settings import Settings

# What the whole run suffers from, and not one picture only.
_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def process(job: Job, settings: Settings) -> Outcome:
    """Do one job: read, detect, hide, encode, and write to the job's temporary file.

    Whatever goes wrong becomes text in the outcome; no exception leaves but those that
    end the process. The output does not appear under its name: that is for the caller,
    who can then account for it exactly once.
    """
    start = time.perf_counter()
    try:
        outcome = _process(job, settings)
    except PictureError as error:
        outcome = Outcome(job, Status.FAILED, error=str(error))
    except StorageError as error:
        outcome = Outcome(job, Status.FAILED, error=str(error), stop=True)
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


def _process(job: Job, settings: Settings) -> Outcome:
    data, source_stamp = read_source(job)
    picture = decode(data, settings.max_pixels)
    kept = picture.metadata.kept(settings.metadata)
    picture = replace(picture, metadata=kept)
    height, width = picture.pixels.shape[:2]
    # The digest tells box files and pictures apart; a run that only hides needs none.
    content = content_digest(data) if job.record or not settings.anonymizer else ""
    del data
    found = _found(picture, content, job, settings)
    outcome = Outcome(
        job,
        Status.FOUND if found.sure else Status.NO_FACES,
        found.sure,
        found.unsure,
        width,
        height,
        content,
        notes=_notes(job, picture),
        source_stamp=source_stamp,
    )
    if settings.method == "detect":
        return outcome
    if settings.method == "preview":
        picture = picture.with_color(drawn(picture.color, found.sure, found.unsure))
    elif found.sure:
        rng = random_for(job, settings)
        hidden = hide_faces(picture.color, found.sure, settings, rng)
        picture = picture.with_color(hidden)
        outcome = replace(outcome, status=Status.ANONYMIZED)
    elif settings.no_face == "fail":
        raise PictureError("no face was found in it (--no-face fail)")
    elif settings.no_face == "skip":
        return outcome
    encoded = encode(
        picture, settings.format, settings.quality, thumbnail=settings.thumbnail
    )
    return replace(outcome, target_stamp=write_target(job, encoded))


def _found(picture: Picture, content: str, job: Job, settings: Settings) -> Found:
    """The faces of a picture: those of its record, those detected, or both."""
    record = job.record
    if record is None:
        return find_faces(picture, settings)
    height, width = picture.pixels.shape[:2]
    is_same = not record.content or record.content == content
    if (record.width, record.height) != (width, height) or not is_same:
        raise PictureError(
            "it is not the picture that the box file speaks of: it has changed since; "
            "detect its faces again"
        )
    if not settings.also_detect:
        return Found(record.hidden)
    detected = find_faces(picture, settings)
    # What somebody has dropped stays dropped; what the detector was unsure of does not.
    known = record.hidden + (record.shown if record.reviewed else ())
    added = tuple(
        face
        for face in detected.sure
        if all(face.box.overlap(other.box) < SAME_FACE for other in known)
    )
    return Found(record.hidden + added, detected.unsure)


def hide_faces(
    image: Image,
    faces: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
) -> Image:
    """A copy of an image with these faces hidden.

    Raises:
        PictureError: they cannot be hidden in this way.
    """
    assert settings.anonymizer is not None, "these settings are not for hiding"
    hidden = settings.anonymizer.hide(image, faces, settings.cover, rng)
    if hidden.shape != image.shape or hidden.dtype != image.dtype:
        # A plug-in's mistake must not become a picture of another size or depth.
        raise PictureError(
            f"the method {settings.method} made {hidden.dtype} {hidden.shape} of "
            f"{image.dtype} {image.shape}; tell its author"
        )
    return hidden


def random_for(job: Job, settings: Settings) -> np.random.Generator:
    """The randomness for one picture; with a seed, the same for the same name.

    It does not depend on which worker takes the picture, or when.
    """
    if settings.seed is None:
        return np.random.default_rng()
    digest = blake2b(os.fsencode(job.name), digest_size=16).digest()
    return np.random.default_rng([settings.seed, int.from_bytes(digest, "little")])


def read_source(job: Job) -> tuple[bytes, Stamp | None]:
    """The bytes of the input, and the stamp of the file; no stamp for a stream.

    Raises:
        PictureError: it cannot be read, or somebody writes to it.
    """
    if job.source is None:
        return sys.stdin.buffer.read(), None
    try:
        with open(job.source, "rb", opener=_opener(job)) as file:
            before = os.fstat(file.fileno())
            if job.is_plain and not stat.S_ISREG(before.st_mode):
                raise PictureError("it is no regular file any more")
            data = file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(before.st_mode):
        return data, None
    stamp = Stamp(before.st_size, before.st_mtime_ns)
    if stamp != Stamp(after.st_size, after.st_mtime_ns) or len(data) != stamp.size:
        raise PictureError("it changed while it was read; run again for it")
    return data, stamp


def _opener(job: Job) -> Callable[[str, int], int] | None:
    """How to open a file that somebody may just have replaced by a link or a pipe."""
    if not job.is_plain:
        return None
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return lambda path, flags: os.open(path, flags | careful)


def write_target(job: Job, data: bytes) -> Stamp | None:
    """Write an output whole, to the job's temporary file or to standard output.

    Raises:
        StorageError: nothing more can be written there.
        PictureError: this output cannot be written.
    """
    if job.temporary is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return None
    try:
        job.temporary.parent.mkdir(parents=True, exist_ok=True)
        # x: a file or link that is there already is never written through.
        with open(job.temporary, "xb", opener=_open_privately) as file:
            file.write(data)
            file.flush()
            status = os.fstat(file.fileno())
    except OSError as error:
        folder = shown(job.temporary.parent)
        message = f"cannot write to {folder}: {error.strerror}"
        if error.errno in _STORAGE_ERRORS:
            raise StorageError(message) from error
        raise PictureError(message) from error
    return Stamp(status.st_size, status.st_mtime_ns)


def _open_privately(path: str, flags: int) -> int:
    # Nobody else has to do with a picture that is not finished.
    return os.open(path, flags, 0o600)


def _notes(job: Job, picture: Picture) -> tuple[str, ...]:
    format_ = picture.encoding.format
    if job.source is None or not job.source.suffix:
        return ()
    if job.source.suffix.lower() in SUFFIXES[format_]:
        return ()
    return (f"it is a {format_.upper()} file, whatever its name says",)
