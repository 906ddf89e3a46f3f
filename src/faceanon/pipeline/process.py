"""One picture: from its file to its output, and to one outcome."""

import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import PurePosixPath

import numpy as np

from faceanon.boxes import Record, content_digest
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.media.clip_reading import Animation, opened
from faceanon.media.picture import SUFFIXES, Format, Picture, eight_bit
from faceanon.media.reading import decode
from faceanon.media.writing import DEFAULT_QUALITY
from faceanon.model import Face, Image
from faceanon.pipeline.frames import find_all, rewrite
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Job, Outcome, Stamp, Status
from faceanon.pipeline.preview import drawn
from faceanon.pipeline.write import make_hidden, make_output
from faceanon.settings import CENSUS, Settings
from faceanon.storage.files import is_finished, read_source, write_target
from faceanon.vision.detection.find import SAME_FACE, Found, find_faces
from faceanon.vision.recognition.identities import Crowd, Scene, sights
from faceanon.vision.recognition.matching import select
from faceanon.vision.tracking.neighbours import REACH


def process(job: Job, settings: Settings) -> Outcome:
    """Do one job: read, detect, hide, encode, and write the output.

    Whatever goes wrong becomes text in the outcome; no exception leaves but those that
    end the process. An output that is a file is written to the job's temporary file: to
    put it in place is for the caller, who can then account for it exactly once. One in
    a bucket is put there at once, unless it is there already.
    """
    return attempted(job, lambda: _from_source_to_target(job, settings))


def attempted(job: Job, do: Callable[[], Outcome]) -> Outcome:
    """What comes of a job, whatever goes wrong with it; see `process`."""
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


def process_data(
    job: Job, data: bytes, settings: Settings
) -> tuple[Outcome, bytes | None]:
    """Do a picture that was read already, and is written by others.

    Returns:
        What came of it, with the sizes of input and output; and the output, None where
        there is none. As with `process`, no exception leaves.
    """
    output = None

    def do() -> Outcome:
        nonlocal output
        outcome, output = transform(job, data, settings)
        stamp = None if output is None else Stamp(len(output), 0)
        return replace(outcome, target_stamp=stamp)

    outcome = replace(attempted(job, do), source_stamp=Stamp(len(data), 0))
    return outcome, output


def _from_source_to_target(job: Job, settings: Settings) -> Outcome:
    if is_finished(job):
        return Outcome(job, Status.SKIPPED)
    data, source_stamp = read_source(job)
    outcome, output = transform(job, data, settings)
    outcome = replace(outcome, source_stamp=source_stamp)
    if output is None:
        return outcome
    return replace(outcome, target_stamp=write_target(job, output, source_stamp))


def transform(
    job: Job, data: bytes, settings: Settings
) -> tuple[Outcome, bytes | None]:
    """Make an output of an input, both of them whole files.

    Args:
        job: what is to be done; nothing is read or written here.
        data: the input.
        settings: what to do with it.

    Returns:
        What came of it, and the output; None where there is nothing to write.

    Raises:
        PictureError: it cannot be done; the text says why.
    """
    # The digest tells pictures apart, for box files and the census; a run that only
    # hides needs none.
    is_needed = job.record or not settings.anonymizer or settings.method == CENSUS
    content = content_digest(data) if is_needed else ""
    if settings.disguises and settings.crowd is None and settings.method != CENSUS:
        settings = replace(settings, crowd=_crowd_of(job, data, settings))
    outcome = Outcome(job, Status.NO_FACES, content=content)
    with opened(data, settings.max_pixels) as several:
        if several is not None:
            return _transform_frames(several, outcome, settings)
    picture = decode(data, settings.max_pixels, lazily=True)
    del data
    return _transform_picture(picture, outcome, settings)


def _crowd_of(job: Job, data: bytes, settings: Settings) -> Crowd:
    """The people of a single picture, who may be in several of its frames."""
    outcome, _ = transform(job, data, replace(settings, method=CENSUS))
    scene = Scene(outcome.content, outcome.sights)
    return Crowd.of([scene], settings.disguises, settings.seed)


def _transform_picture(
    picture: Picture, outcome: Outcome, settings: Settings
) -> tuple[Outcome, bytes | None]:
    job = outcome.job
    kept = picture.metadata.kept(settings.metadata)
    picture = replace(picture, metadata=kept)
    _check_record(outcome, *picture.shape)
    found = _found(picture, job.record, settings)
    outcome = _with_finds(outcome, found, picture.shape)
    outcome = replace(outcome, notes=_notes(job, picture.encoding.format))
    if settings.only_looks:
        return outcome, None
    if settings.method == "preview":
        shown = picture.with_color(drawn(picture.color, found.sure, found.unsure))
        encoded, jpeg = make_output(picture, shown, found.sure, settings)
    elif found.sure:
        rng = random_for(job, settings)
        encoded, jpeg = make_hidden(picture, found.sure, settings, rng)
        outcome = replace(outcome, status=Status.ANONYMIZED)
    elif found.shown or _is_wanted_without_faces(settings):
        encoded, jpeg = make_output(picture, picture, (), settings)
    else:
        return outcome, None
    return replace(outcome, jpeg=jpeg), encoded


def _transform_frames(
    several: Animation, outcome: Outcome, settings: Settings
) -> tuple[Outcome, bytes | None]:
    """Do a file of several pictures."""
    job, header = outcome.job, several.header
    outcome = replace(outcome, notes=_notes(job, several.format))
    header = replace(header, metadata=header.metadata.kept(settings.metadata))
    several = replace(several, header=header)
    shape = header.height, header.width
    _check_record(outcome, *shape)

    def find(frame: Picture, number: int) -> Found:
        return _found(frame, _of_frame(job.record, number), settings)

    # The same in every frame, so that nothing flickers.
    seed = random_for(job, settings).integers(2**63)

    def change(image: Image, sure: Sequence[Face], unsure: Sequence[Face]) -> Image:
        if settings.method == "preview":
            return drawn(image, sure, unsure)
        if not sure:
            return image
        return hide_faces(image, sure, settings, np.random.default_rng(seed))

    if settings.only_looks:
        return _with_finds(outcome, find_all(several, find), shape), None
    # The pages of a document do not follow each other as frames do, and a box file
    # tells of each frame by itself.
    is_film = several.format != "tiff" and job.record is None
    encoded, found = rewrite(
        several,
        find,
        change,
        reach=REACH if is_film else 0,
        format_=settings.format or several.format,
        quality=settings.quality or DEFAULT_QUALITY,
        max_pixels=settings.max_pixels,
    )
    outcome = _with_finds(outcome, found, shape)
    if settings.method != "preview":
        if found.sure:
            outcome = replace(outcome, status=Status.ANONYMIZED)
        elif not (found.shown or _is_wanted_without_faces(settings)):
            return outcome, None
    return outcome, encoded


def _with_finds(outcome: Outcome, found: Found, shape: tuple[int, ...]) -> Outcome:
    unhidden = Status.NOBODY_HIDDEN if found.shown else Status.NO_FACES
    return replace(
        outcome,
        status=Status.FOUND if found.sure else unhidden,
        faces=found.sure,
        unsure=found.unsure,
        shown=found.shown,
        sights=found.sights,
        width=shape[1],
        height=shape[0],
    )


def _is_wanted_without_faces(settings: Settings) -> bool:
    """Whether a picture without a face is written.

    Raises:
        PictureError: it is to fail.
    """
    if settings.no_face == "fail":
        raise PictureError("no face was found in it (--no-face fail)")
    return settings.no_face == "write"


def _of_frame(record: Record | None, number: int) -> Record | None:
    """Those faces of a record that are in one frame.

    A face that is said to be in no frame is in all of them.
    """
    if record is None:
        return None
    hidden = tuple(face for face in record.hidden if face.frame in (None, number))
    shown = tuple(face for face in record.shown if face.frame in (None, number))
    return replace(record, hidden=hidden, shown=shown)


def _check_record(outcome: Outcome, height: int, width: int) -> None:
    """Refuse a picture that is not the one of which its record speaks."""
    record = outcome.job.record
    if record is None:
        return
    is_same = not record.content or record.content == outcome.content
    if (record.width, record.height) != (width, height) or not is_same:
        raise PictureError(
            "it is not the picture that the box file speaks of: it has changed since; "
            "detect its faces again"
        )


def _found(picture: Picture, record: Record | None, settings: Settings) -> Found:
    """The faces of a picture, those to hide apart from those to show."""
    found = _looked_for(picture, record, settings)
    if settings.selection is not None:
        found = select(picture.color, found, settings)
    if settings.method == CENSUS:
        clear = sights(eight_bit(picture.color), found.sure)
        return replace(found, sights=clear)
    if settings.crowd is not None:
        disguised = settings.crowd.disguised(eight_bit(picture.color), found.sure)
        return replace(found, sure=disguised)
    return found


def _looked_for(picture: Picture, record: Record | None, settings: Settings) -> Found:
    """The faces of a picture: those of its record, those detected, or both."""
    if record is None:
        return find_faces(picture, settings)
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


def random_for(job: Job, settings: Settings) -> np.random.Generator:
    """The randomness for one picture; with a seed, the same for the same name.

    It does not depend on which worker takes the picture, or when.
    """
    if settings.seed is None:
        return np.random.default_rng()
    digest = blake2b(os.fsencode(job.name), digest_size=16).digest()
    return np.random.default_rng([settings.seed, int.from_bytes(digest, "little")])


def _notes(job: Job, format_: Format) -> tuple[str, ...]:
    suffix = PurePosixPath(job.name).suffix
    if not suffix or suffix.lower() in SUFFIXES[format_]:
        return ()
    return (f"it is a {format_.upper()} file, whatever its name says",)
