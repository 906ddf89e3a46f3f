"""Finding the faces of a film: it is walked once, and they are followed."""

import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import blake2b
from importlib.metadata import version
from itertools import islice
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from faceanon import options
from faceanon.anonymizers.base import Sample
from faceanon.boxes import FaceTable, FrameTimes, TrackFacts
from faceanon.media.clip import Clip
from faceanon.media.picture import eight_bit
from faceanon.media.video.reading import VideoClip
from faceanon.model import Face, Image, Match, Verdict
from faceanon.pipeline.looking import Clock, look_through
from faceanon.pipeline.progress import told
from faceanon.pipeline.track_report import FOUND_BY
from faceanon.settings import Settings
from faceanon.storage import cache
from faceanon.vision.recognition.identities import Identities, Observation
from faceanon.vision.recognition.matching import match
from faceanon.vision.recognition.observing import observe
from faceanon.vision.tracking.tracker import Tracks, follow

# So many samples of a track say whose face it is: those where it is largest and surest.
_SAMPLES = 5

# A sample has so many widths and heights of the face around its middle.
_AROUND = 3.0

# An animation shows so many frames in a second if its first ones do not say.
_USUAL_RATE = 10.0
_SOME = 20


@dataclass(frozen=True, slots=True, eq=False)
class FilmFaces:
    """The faces of a film.

    Attributes:
        faces: a row for each face and frame in which it is to be hidden.
        times: when each frame is shown.
        lost: the tracks that end though their face should still be in the picture.
    """

    faces: FaceTable
    times: FrameTimes
    lost: tuple[int, ...] = ()


def faces_of_film(
    clip: Clip, content: str, settings: Settings, threads: int
) -> FilmFaces:
    """Find and follow the faces of a film, or recall what was found before.

    Args:
        clip: the film.
        content: `boxes.content_digest` of its file.
        settings: how to find them.
        threads: how many look at the same time.

    Raises:
        PictureError: it is damaged.
    """
    name = _name(content, settings) if content else ""
    if name and (kept := _recalled(name)) is not None:
        return kept
    header = clip.header
    size = header.width, header.height
    looked = look_through(
        told(clip.frames(), "find", header.count),
        size,
        Clock(_base(clip)),
        settings.finding,
        rate=_rate(clip),
        threads=threads,
    )
    times = seconds_of(looked.times)
    tracks = follow(looked.finds, looked.motion, looked.looked, times, size)
    found = FilmFaces(
        _table(tracks, looked.names),
        looked.times,
        tuple(np.flatnonzero(tracks.is_lost).tolist()),
    )
    if name:
        cache.keep(name, _packed(found))
    return found


def _base(clip: Clip) -> Fraction:
    """The unit of the times of a film's frames, in seconds."""
    return clip.time_base if isinstance(clip, VideoClip) else Fraction(1, 1000)


def _rate(clip: Clip) -> float:
    """How many frames a film shows in a second, about."""
    if isinstance(clip, VideoClip):
        return float(clip.rate)
    seconds = [frame.seconds for frame in islice(clip.frames(), _SOME)]
    return len(seconds) / (sum(seconds) or len(seconds) / _USUAL_RATE)


def times_of(clip: Clip) -> FrameTimes:
    """When each frame of a film is shown."""
    clock = Clock(_base(clip))
    for frame in clip.frames():
        clock.take(frame)
    return clock.times()


def seconds_of(times: FrameTimes) -> NDArray[np.float64]:
    """The times in seconds from the first: shape (F,)."""
    pts = times.pts - times.pts[:1]
    return np.asarray(pts * float(times.base), np.float64)


def _table(tracks: Tracks, names: tuple[str, ...]) -> FaceTable:
    added = list(FOUND_BY)
    numbers = tracks.found_by.copy()
    for place, number in enumerate(added):
        numbers[tracks.found_by == number] = len(names) + place
    facts = {
        track: TrackFacts(_as_tone(tone)) for track, tone in enumerate(tracks.tones)
    }
    return FaceTable(
        tracks.frames,
        tracks.boxes,
        tracks.scores,
        tracks.points,
        tracks.tracks,
        numbers,
        (*names, *FOUND_BY.values()),
        facts,
    )


def _as_tone(tone: Sequence[int]) -> tuple[float, float, float]:
    blue, green, red = (int(part) / 255 for part in tone)
    return blue, green, red


# --- What is kept ------------------------------------------------------------------


def _name(content: str, settings: Settings) -> str:
    """What the finds of a film are kept under: all that they depend on."""
    video = settings.writing.video
    depends = {
        "content": content,
        "finding": options.values(settings.finding),
        "part": [video.from_, video.to, video.damaged],
        "version": version("faceanon"),
    }
    text = json.dumps(depends, sort_keys=True)
    return f"{blake2b(text.encode(), digest_size=16).hexdigest()}.npz"


_COLUMNS = ("frames", "boxes", "scores", "points", "tracks", "found_by")


def _packed(found: FilmFaces) -> bytes:
    faces = found.faces
    tones = [faces.facts[track].tone for track in range(len(faces.facts))]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        pts=found.times.pts,
        base=np.array(found.times.base.as_integer_ratio(), np.int64),
        lost=np.array(found.lost, np.int64),
        names=np.array(faces.names, np.str_),
        tones=np.array(tones, np.float64).reshape(-1, 3),
        **{name: getattr(faces, name) for name in _COLUMNS},
    )
    return file.getvalue()


def _recalled(name: str) -> FilmFaces | None:
    data = cache.recall(name)
    if data is None:
        return None
    try:
        return _unpacked(data)
    except (BadZipFile, OSError, ValueError, LookupError):
        return None  # a disk was full, or somebody has written to it


def _unpacked(data: bytes) -> FilmFaces:
    with np.load(io.BytesIO(data), allow_pickle=False) as columns:
        tones = columns["tones"].tolist()
        facts = {track: TrackFacts(tuple(tone)) for track, tone in enumerate(tones)}
        faces = FaceTable(
            **{name: columns[name] for name in _COLUMNS},
            names=tuple(columns["names"].tolist()),
            facts=facts,
        )
        return FilmFaces(
            faces,
            FrameTimes.of_all(columns["pts"], Fraction(*columns["base"].tolist())),
            tuple(columns["lost"].tolist()),
        )


# --- Where each track is seen best -------------------------------------------------


def samples_of(
    clip: Clip, faces: FaceTable, count: int
) -> Iterator[tuple[int, Sample]]:
    """The frames in which the face of each track is seen best.

    Args:
        clip: the film, which is walked as far as needed.
        faces: its faces.
        count: how many samples of each track, at most.

    Yields:
        The number of a track, and a sample, by frames.
    """
    by_frame: dict[int, list[int]] = defaultdict(list)
    for row in _best_rows(faces, count):
        by_frame[int(faces.frames[row])].append(int(row))
    if not by_frame:
        return
    last = max(by_frame)
    frames = told(clip.frames(), "look", last + 1)
    for number, frame in enumerate(frames):
        if rows := by_frame.get(number):
            here = faces.of_frame(number)
            image = frame.picture.color
            for row in rows:
                face = faces[row]
                assert face.track is not None, "it is of a track"
                yield face.track, _sample(image, face, here)
        if number >= last:
            return


def _sample(image: Image, face: Face, here: Sequence[Face]) -> Sample:
    """A face with so much around it as whoever looks at it needs."""
    part = face.box.grown(_AROUND).clipped(*image.shape[:2])
    right, down = -part.left, -part.top
    others = [
        other.placed(right=right, down=down)
        for other in here
        if other.track != face.track and other.box.shared(part)
    ]
    placed = face.placed(right=right, down=down)
    return Sample(image[part.slices].copy(), placed, others)


def _best_rows(faces: FaceTable, count: int) -> NDArray[np.intp]:
    """The rows in which each track's face was surely found, and is largest and surest.

    They lie apart in time: of each part of the track the best one.
    """
    added = [number for number, name in enumerate(faces.names) if name in _ADDED]
    is_found = ~np.isin(faces.found_by, added)
    sizes = (faces.boxes[:, 2:] - faces.boxes[:, :2]).prod(axis=1)
    worth = np.sqrt(np.maximum(sizes, 0)) * faces.scores * (1 + is_found)
    best: list[int] = []
    for rows in faces.rows_of_tracks():
        for part in np.array_split(rows, min(count, len(rows))):
            best.append(int(part[np.argmax(worth[part])]))
    return np.array(best, np.intp)


_ADDED = frozenset(FOUND_BY.values())


# --- Whose they are ----------------------------------------------------------------


def split_tracks(
    clip: Clip, faces: FaceTable, settings: Settings
) -> tuple[FaceTable, FaceTable]:
    """The faces to hide and those to show, by whole tracks.

    A track is shown only if its best frames agree on it; where they do not, it is
    hidden all over.
    """
    selection = settings.selection
    if selection is None:
        return faces, faces.where(np.zeros(len(faces), bool))
    seen: dict[int, list[Match]] = defaultdict(list)
    for track, sample in samples_of(clip, faces, _SAMPLES):
        seen[track].append(match(eight_bit(sample.image), sample.face, selection))
    decided = {track: _agreed(matches) for track, matches in seen.items()}
    shows = [
        track for track, (verdict, _) in decided.items() if verdict == selection.shows
    ]
    facts = {
        track: replace(fact, match=decided[track][1]) if track in decided else fact
        for track, fact in faces.facts.items()
    }
    known = replace(faces, facts=facts)
    is_shown = np.isin(faces.tracks, shows)
    return known.where(~is_shown), known.where(is_shown)


def _agreed(matches: Sequence[Match]) -> tuple[Verdict, Match]:
    """What most of the samples say that can be told, if none says the opposite."""
    told_apart = [one for one in matches if one.verdict != "unsure"]
    verdicts = {one.verdict for one in told_apart}
    best = max(matches, key=lambda one: (one.similarity is not None, one.similarity))
    if len(verdicts) == 1 and 2 * len(told_apart) >= len(matches):
        (verdict,) = verdicts
        persons = {one.person for one in told_apart}
        if verdict == "other" or len(persons) == 1:
            return verdict, next(one for one in told_apart if one.verdict == verdict)
    return "unsure", replace(best, verdict="unsure", reason=best.reason or "in doubt")


def observations_of(clip: Clip, faces: FaceTable) -> Mapping[int, Observation]:
    """What tells the people of the tracks apart, of those that are seen clearly."""
    seen: dict[int, Observation] = {}
    for track, sample in samples_of(clip, faces, _SAMPLES):
        if track not in seen:
            observation = observe(eight_bit(sample.image), sample.face)
            if observation is not None:
                seen[track] = observation
    return dict(sorted(seen.items()))


def with_pseudonyms(
    faces: FaceTable, seen: Mapping[int, Observation], people: Identities
) -> FaceTable:
    """The faces with the pseudonyms of their people."""
    facts = dict(faces.facts)
    for track, observation in seen.items():
        number = people.pseudonym(observation.embedding)
        facts[track] = replace(facts.get(track, TrackFacts()), pseudonym=number)
    return replace(faces, facts=facts)
