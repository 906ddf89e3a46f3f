"""One input: from its file to its output, and to one outcome.

Two steps make the way: `find` ends in a record of the faces, `hide` goes on from it.
"""

import os
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import BinaryIO, TypeAlias

import numpy as np

from faceanon import options
from faceanon.anonymizers.base import LEFT_ALONE, Sample
from faceanon.boxes import FaceTable, Record, content_digest, gaps, update_by_file
from faceanon.errors import (
    FaceanonError,
    PictureError,
    RefusedError,
    StorageError,
)
from faceanon.media.clip import Clip, Header
from faceanon.media.reading import open_clip
from faceanon.media.video.reading import VideoClip
from faceanon.media.video.writing import write_video
from faceanon.media.write_options import WriteOptions
from faceanon.media.writing import write
from faceanon.model import Face
from faceanon.pipeline.film import samples_of
from faceanon.pipeline.find import detects, find
from faceanon.pipeline.hide import Otherwise, hidden_frames, previewed_frames
from faceanon.pipeline.job import WORTH_A_NOTE, Job, Outcome, Status
from faceanon.pipeline.progress import tell_extent
from faceanon.pipeline.steps import CollectIdentities, Hide, Preview, Step
from faceanon.pipeline.track_report import TrackReport
from faceanon.settings import Settings
from faceanon.storage.names import shown
from faceanon.storage.suffixes import (
    FILM_FORMATS,
    SUFFIXES,
    FilmFormat,
    film_format,
    written_as,
)
from faceanon.vision import detection
from faceanon.vision.detection.find import has_near_miss

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
        is_refused = isinstance(error, RefusedError)
        outcome = Outcome(job, Status.FAILED, error=str(error), is_refused=is_refused)
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


def transform(
    job: Job, source: BinaryIO, target: Target, step: Step, threads: int = 1
) -> Outcome:
    """Do a step with an input.

    Args:
        job: what is to be done; nothing is opened here.
        source: the input, which can be sought in.
        target: where to write the output to, if there is one.
        step: what to do.
        threads: how many a film may take.

    Returns:
        Its outcome.

    Raises:
        PictureError: it cannot be done; the text says why.
    """
    settings = step.settings
    rng = random_for(job, settings, source if isinstance(step, Hide) else None)
    video = settings.writing.video
    with open_clip(source, settings.max_pixels, video, threads) as clip:
        tell_extent(clip.header)
        is_video = isinstance(clip, VideoClip)
        writing = _writing(job, settings.writing, is_video=is_video)
        needed = is_video or _needs_content(job, step)
        findings = find(
            clip,
            job.name,
            content_digest(source) if needed else "",
            job.record,
            settings,
            observes=isinstance(step, CollectIdentities),
            threads=threads,
        )
        record = findings.record
        smallest = _smallest_face(clip.header, job, settings)
        outcome = Outcome(
            job,
            _status(record),
            record,
            tracks=findings.tracks,
            smallest_face=smallest,
            to_check=_is_to_check(record, findings.tracks, settings),
            notes=_notes(job, clip, smallest),
            observations=findings.observations,
        )
        otherwise = Otherwise()
        frames = None
        if isinstance(step, Preview):
            frames = previewed_frames(clip, record)
        elif isinstance(step, Hide) and _is_written(record, settings):
            given = job.record.shown if job.record else ()
            all_faces = replace(record, shown=_joined(record.shown, given))
            samples = _samples(clip, record, settings)
            frames = hidden_frames(
                clip, all_faces, settings, rng, otherwise, samples=samples
            )
        if frames is None:
            return outcome
        with target() as file:
            if isinstance(clip, VideoClip):
                container = _container(job, clip, writing)
                write_video(clip, frames, file, container, writing)
                jpeg = ""
            else:
                jpeg = write(clip.header, frames, file, writing, settings.max_pixels)
        # By now more is known of a film.
        notes = _notes(job, clip, smallest)
        keeps_sound = isinstance(clip, VideoClip) and clip.has_sound
    outcome = replace(
        outcome,
        notes=notes,
        jpeg=jpeg,
        keeps_sound=keeps_sound,
        otherwise=otherwise.faces,
    )
    if not isinstance(step, Hide) or not record.hidden:
        return outcome
    tracks = tuple(
        replace(track, otherwise=dict(otherwise.frames.get(track.track, {})))
        for track in findings.tracks
    )
    is_same = _is_unchanged(record, tracks, otherwise)
    status = Status.UNCHANGED if is_same else Status.ANONYMIZED
    if is_same:
        nothing = f"nothing was changed: {settings.method} can treat none of its faces"
        outcome = replace(outcome, notes=(*outcome.notes, nothing))
    return replace(outcome, status=status, tracks=tracks)


def _samples(
    clip: Clip, record: Record, settings: Settings
) -> Mapping[int, Sequence[Sample]]:
    """Where the faces of a film are seen best, if the method asks for that."""
    method = settings.anonymizer
    samples: dict[int, list[Sample]] = defaultdict(list)
    if clip.header.kind == "film" and method is not None and method.samples:
        table = FaceTable.of(record.hidden)
        for track, sample in samples_of(clip, table, method.samples):
            samples[track].append(sample)
    return samples


def _is_to_check(
    record: Record, tracks: Sequence[TrackReport], settings: Settings
) -> bool:
    """See `Outcome.to_check`."""
    # Among thousands of frames there is a near miss always.
    if tracks or isinstance(record.unsure, FaceTable):
        return any(track.is_lost for track in tracks)
    return has_near_miss(record.unsure, settings.finding)


# So many gaps of a box file are named.
_MOST_GAPS = 3


def _gaps(job: Job) -> tuple[str, ...]:
    """Where the tracks of a box file leave their faces open."""
    faces = job.record.hidden if job.record else ()
    found = gaps(faces) if isinstance(faces, FaceTable) else []
    said = [
        f"track {gap.track} has no box in frames {gap.first} to {gap.last}"
        for gap in found[:_MOST_GAPS]
    ]
    more = len(found) - len(said)
    return (*said, f"{more} more gaps in tracks") if more else tuple(said)


def _joined(shown: Sequence[Face], given: Sequence[Face]) -> Sequence[Face]:
    if not given:
        return shown
    faces = [*shown, *given]
    return FaceTable.of(faces) if isinstance(shown, FaceTable) else faces


def _is_unchanged(
    record: Record, tracks: Sequence[TrackReport], otherwise: Otherwise
) -> bool:
    """Whether all faces look as before."""
    if tracks:
        return all(
            track.otherwise.get(LEFT_ALONE) == track.frame_count
            for track in tracks
            if track.is_hidden
        )
    return all(otherwise.faces.get(face) == LEFT_ALONE for face in record.hidden)


def _writing(job: Job, options: WriteOptions, *, is_video: bool) -> WriteOptions:
    """How an output is written: in the format of the suffix that the user gave it.

    Raises:
        PictureError: that is a format of pictures for a film, or the other way round.
    """
    wanted = written_as(str(job.target)) if job.is_named else None
    if wanted is None:
        return options
    if is_video != (wanted in FILM_FORMATS):
        what, ending = ("film", ".mp4") if is_video else ("picture", ".jpg or .png")
        suffix = PurePosixPath(str(job.target)).suffix
        raise PictureError(
            f"it is a {what}, which is not written as {shown(suffix)}; end the name of "
            f"the output with {ending}"
        )
    return replace(options, format=wanted)


def _container(job: Job, clip: VideoClip, options: WriteOptions) -> FilmFormat:
    """In which format a film is written: as its name says, or as is asked for."""
    if options.film_format is not None:
        return options.film_format
    target = job.member or str(job.target or job.name)
    return film_format(target) or clip.container.becomes


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
    if settings.key is None and not (repeats and source):
        return np.random.default_rng()
    key = b"" if settings.key is None else settings.key.derived(b"randomness")
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


def _notes(job: Job, clip: Clip, smallest_face: int) -> tuple[str, ...]:
    notes = [*clip.notes]
    suffix = PurePosixPath(job.name).suffix
    if isinstance(clip, VideoClip) and suffix and film_format(job.name) is None:
        notes.append(f"it is {clip.container.name}, whatever its name says")
    format_ = clip.header.format
    is_odd = not isinstance(clip, VideoClip) and suffix.lower() not in SUFFIXES[format_]
    if suffix and is_odd:
        notes.append(f"it is a {format_.upper()} file, whatever its name says")
    if smallest_face > WORTH_A_NOTE:
        notes.append(
            f"faces below {smallest_face} pixels are not seen in it; "
            "--detector centerface sees smaller ones in pictures of this size"
        )
    return (*notes, *_gaps(job))
