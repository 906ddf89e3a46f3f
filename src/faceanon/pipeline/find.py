"""The first half of the way: from the frames of a clip to a record of its faces.

What is to be hidden, and in which frame, is decided here and nowhere else: who hides it
looks for nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice

import numpy as np

from faceanon.boxes import FaceTable, FrameTimes, Record, check_all_met, check_is_same
from faceanon.errors import PictureError
from faceanon.media.clip import Clip, Frame
from faceanon.media.picture import Picture, eight_bit
from faceanon.model import Face, Image
from faceanon.pipeline.film import (
    FilmFaces,
    faces_of_film,
    observations_of,
    seconds_of,
    split_tracks,
    times_of,
    with_pseudonyms,
)
from faceanon.pipeline.track_report import TrackReport, track_reports
from faceanon.settings import Settings
from faceanon.vision import detection
from faceanon.vision.detection.find import Found, faces_before, find_faces, is_among
from faceanon.vision.recognition.identities import (
    Identities,
    Observation,
    ObservedPicture,
)
from faceanon.vision.recognition.matching import compared, split
from faceanon.vision.recognition.observing import observe

# In smaller sizes of an icon detectors see faces where the larger ones show none.
_SMALLEST_TRUSTED = 48

# By so much the sides of two sizes of one icon may differ in their proportion.
_SAME_SHAPE = 0.05


@dataclass(slots=True)
class _Decided:
    """What is decided on the faces of one frame.

    Attributes:
        hidden: those to hide.
        shown: those not to hide, by who they are.
        unsure: what may be faces.
        told: what a box file tells of: faces to hide, and what somebody has dropped.
        observations: what tells whose each of the hidden faces is, where that matters.
    """

    hidden: list[Face]
    shown: tuple[Face, ...] = ()
    unsure: tuple[Face, ...] = ()
    told: tuple[Face, ...] = ()
    observations: list[Observation | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a clip.

    Attributes:
        record: its faces.
        observations: if asked for, what tells apart those to hide that are clear.
        tracks: of a film, a row for each face.
    """

    record: Record
    observations: tuple[Observation, ...] = ()
    tracks: tuple[TrackReport, ...] = ()


def find(
    clip: Clip,
    name: str,
    content: str,
    given: Record | None,
    settings: Settings,
    *,
    observes: bool = False,
    threads: int = 1,
) -> Findings:
    """Find the faces of a clip.

    Args:
        clip: the input.
        name: its path below INPUT.
        content: `boxes.content_digest` of it, where that is needed.
        given: what a box file tells of it; None to detect faces.
        settings: how to find them, and whom to hide.
        observes: whether to give what tells people apart.
        threads: how many look at the frames of a film at the same time.

    Raises:
        PictureError: it is damaged, or not what the box file tells of.
    """
    header = clip.header
    if given is not None:
        check_is_same(given, size=(header.width, header.height), content=content)
    if header.kind == "film":
        return _find_in_film(
            clip, name, content, given, settings, observes=observes, threads=threads
        )
    frames: list[_Decided] = []
    shapes: list[tuple[int, int]] = []
    given_by_frame = _ByFrame(given)
    met: set[Face] = set()
    for frame, found in _with_found(clip, given, settings):
        here = given_by_frame[len(frames)]
        decided = _decide(frame.picture, found, here, settings)
        met.update(_inside(here.hidden if here else (), frame.picture))
        if observes or settings.pseudonyms:
            image = eight_bit(frame.picture.color)
            decided.observations = [observe(image, face) for face in decided.hidden]
        frames.append(decided)
        shapes.append(frame.picture.shape)
    if given is not None:
        check_all_met(given, met, len(frames))
    if header.format == "ico" and detects(given, settings):
        _hide_in_all_sizes(frames, shapes)
    observations = tuple(
        seen for decided in frames for seen in _from_left_to_right(decided)
    )
    if settings.pseudonyms and not observes:
        people = settings.identities or _people_of(content, observations, settings)
        for decided in frames:
            decided.hidden = _pseudonymized(decided, people)
    record = Record(
        name,
        header.width,
        header.height,
        content,
        hidden=_numbered([decided.hidden for decided in frames]),
        shown=_numbered([decided.shown for decided in frames]),
        unsure=_numbered([decided.unsure for decided in frames]),
    )
    return Findings(record, observations if observes else ())


def _find_in_film(
    clip: Clip,
    name: str,
    content: str,
    given: Record | None,
    settings: Settings,
    *,
    observes: bool,
    threads: int,
) -> Findings:
    """Find the faces of a film; see `find`."""
    header = clip.header
    if detects(given, settings):
        film = faces_of_film(clip, content, settings, threads)
    else:
        film = FilmFaces(FaceTable.of(()), times_of(clip))
    faces = film.faces
    if given is not None:
        told = FaceTable.of(_told_of(given))
        faces = _added_to(FaceTable.of(given.hidden), faces, told)
        _check_all_met_in_film(given, len(film.times), (header.height, header.width))
        _check_times(given, film.times)
    hidden, shown = split_tracks(clip, faces, settings)
    seen: Mapping[int, Observation] = {}
    if observes or settings.pseudonyms:
        seen = observations_of(clip, hidden)
    if settings.pseudonyms and not observes:
        observed = tuple(seen.values())
        people = settings.identities or _people_of(content, observed, settings)
        hidden = with_pseudonyms(hidden, seen, people)
    record = Record(
        name,
        header.width,
        header.height,
        content,
        hidden,
        shown,
        frame_count=len(film.times),
        times=film.times,
    )
    seconds = seconds_of(film.times)
    tracks = (
        *track_reports(hidden, seconds, film.lost, is_hidden=True),
        *track_reports(shown, seconds, film.lost, is_hidden=False),
    )
    observations = tuple(seen.values()) if observes else ()
    return Findings(record, observations, tracks)


def _added_to(given: FaceTable, found: FaceTable, told: FaceTable) -> FaceTable:
    """The faces of a box file, and those that it does not tell of.

    It is looked at frame by frame: a box in one of them says nothing of the others.
    """
    is_new = [not is_among(face, told.of_frame(face.frame or 0)) for face in found]
    added = found.where(np.array(is_new, bool))
    first = max(given.track_numbers(), default=-1) + 1
    renumbered = [
        replace(face, track=first + face.track)
        for face in added
        if face.track is not None
    ]
    return FaceTable.of([*given, *renumbered]) if renumbered else given


def _check_times(given: Record, times: FrameTimes) -> None:
    """Refuse a box file of another part of a film, as --from and --to make it.

    Raises:
        PictureError: frames are shown at other times.
    """
    for number, time in (given.times or {}).items():
        if number >= len(times) or times[number] != time:
            raise PictureError(
                f"the box file has frame {number} at {float(time):.3f} s, and it is "
                "shown at another time: detect its faces again with the same --from "
                "and --to"
            )


def _check_all_met_in_film(given: Record, frames: int, shape: tuple[int, int]) -> None:
    """See `check_all_met`; of a million faces, no object is made of each.

    Raises:
        PictureError: a face to hide is nowhere in the film.
    """
    table = FaceTable.of(given.hidden)
    height, width = shape
    left, top, right, bottom = table.boxes.T
    is_inside = (left < width) & (top < height) & (right > 0) & (bottom > 0)
    lost = np.flatnonzero(~is_inside | (table.frames >= frames))[:1]
    check_all_met(replace(given, hidden=table.where(lost)), set(), frames)


def detects(given: Record | None, settings: Settings) -> bool:
    """Whether faces are looked for, or those of a box file are all."""
    return given is None or settings.also_detect


class _ByFrame:
    """What a record tells of each frame; a face without a frame is in all of them."""

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self._hidden: dict[int | None, list[Face]] = defaultdict(list)
        self._shown: dict[int | None, list[Face]] = defaultdict(list)
        if record is not None:
            for face in record.hidden:
                self._hidden[face.frame].append(face)
            for face in record.shown:
                self._shown[face.frame].append(face)

    def __getitem__(self, number: int) -> Record | None:
        if self._record is None:
            return None
        return replace(
            self._record,
            hidden=(*self._hidden[None], *self._hidden[number]),
            shown=(*self._shown[None], *self._shown[number]),
        )


def _with_found(
    clip: Clip, given: Record | None, settings: Settings
) -> Iterator[tuple[Frame, Found]]:
    """The frames with what a detector finds in them, a few at a time."""
    frames = clip.frames()
    if not detects(given, settings):
        for frame in frames:
            yield frame, Found(())
        return
    options = settings.finding
    batch = detection.make(options.detector, options.accuracy).batch
    while some := list(islice(frames, batch)):
        yield from zip(
            some,
            find_faces([frame.picture for frame in some], options),
            strict=True,
        )


def _decide(
    picture: Picture, found: Found, given: Record | None, settings: Settings
) -> _Decided:
    """What is to become of the faces of a frame: those detected, given, or both."""
    # A detector's box that lies outside hides nothing, and there is nothing to hide.
    sure = _inside(found.sure, picture)
    told: tuple[Face, ...] = ()
    if given is not None:
        told = _told_of(given)
        added = [face for face in sure if not is_among(face, told)]
        sure = [*given.hidden, *added]
    if settings.selection is None:  # nothing needs the pixels
        return _Decided(sure, unsure=found.unsure, told=told)
    hidden, shown = select(
        picture.color, sure, settings, told, looks_before=detects(given, settings)
    )
    return _Decided(list(hidden), shown, found.unsure, told)


def _hide_in_all_sizes(
    frames: Sequence[_Decided], shapes: Sequence[tuple[int, int]]
) -> None:
    """Hide a face that was found in one size of an icon in the others, too.

    Args:
        frames: what was decided on each size; more is to be hidden afterwards.
        shapes: height and width of each.
    """
    found = [tuple(decided.hidden) for decided in frames]
    for decided, (height, width) in zip(frames, shapes, strict=True):
        for faces, (other_height, other_width) in zip(found, shapes, strict=True):
            if abs(height / width - other_height / other_width) > _SAME_SHAPE:
                continue  # it shows something else
            if other_height < min(height, _SMALLEST_TRUSTED):
                continue
            for face in faces:
                here = face.placed(width / other_width)
                known = (*decided.hidden, *decided.shown, *decided.told)
                if not here.box.is_empty and not is_among(here, known):
                    decided.hidden.append(here)
                    decided.observations.append(None)


def _told_of(given: Record) -> tuple[Face, ...]:
    """The faces on which a box file has the say, whatever a detector finds there.

    What somebody has dropped stays dropped; what the detector was unsure of does not.
    """
    return (*given.hidden, *(given.shown if given.reviewed else ()))


def _inside(faces: Sequence[Face], picture: Picture) -> list[Face]:
    """Those that lie, at least in part, in the picture."""
    return [face for face in faces if not face.box.clipped(*picture.shape).is_empty]


def select(
    image: Image,
    faces: Sequence[Face],
    settings: Settings,
    told: Sequence[Face] = (),
    *,
    looks_before: bool,
) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
    """The faces that the settings' selection hides, and the others.

    Nobody is hidden together with a face that is shown: those before it are looked for.

    A method that needs a second face to hide one, as `swap` does, takes it from those
    whom "only" would not hide.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        faces: those that would be hidden without a selection.
        settings: whom to hide, and how.
        told: faces on which somebody has decided already.
        looks_before: whether to look for faces before those that are shown.
    """
    selection = settings.selection
    if selection is None:
        return tuple(faces), ()
    known = compared(image, faces, selection)
    hidden, others = split(known, selection)
    if looks_before and others:
        seen = faces_before(eight_bit(image), others, settings.finding)
        more = [face for face in seen if not is_among(face, [*faces, *told])]
        if more:
            known += compared(image, more, selection)
            hidden, others = split(known, selection)
    if hidden and settings.anonymizer and selection.mode == "only":
        partners = settings.anonymizer.partners(image, hidden, others)
        hidden = (*hidden, *partners)
        others = tuple(face for face in others if face not in partners)
    return hidden, others


def _from_left_to_right(decided: _Decided) -> list[Observation]:
    """In an order that stays: that by score changes with the processor."""
    seen = [
        (face, observation)
        for face, observation in zip(decided.hidden, decided.observations, strict=False)
        if observation is not None
    ]
    seen.sort(key=lambda pair: (pair[0].box.left, pair[0].box.top))
    return [observation for _, observation in seen]


def _people_of(
    content: str, observations: Sequence[Observation], settings: Settings
) -> Identities:
    """The people of a single input, who may be in several of its frames."""
    picture = ObservedPicture(content, observations)
    return Identities.of([picture], settings.pseudonyms, settings.pseudonym_seed)


def _pseudonymized(decided: _Decided, people: Identities) -> list[Face]:
    return [
        face
        if observation is None
        else replace(face, pseudonym=people.pseudonym(observation.embedding))
        for face, observation in zip(decided.hidden, decided.observations, strict=True)
    ]


def pseudonymized(
    image: Image, faces: Sequence[Face], settings: Settings
) -> list[Face]:
    """The faces of an image that is no part of a run, with their people's pseudonyms.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        faces: in the image.
        settings: how many pseudonyms there are, and what they are drawn by, too.
    """
    seen = eight_bit(image)
    decided = _Decided(list(faces))
    decided.observations = [observe(seen, face) for face in faces]
    content = blake2b(seen.tobytes(), digest_size=16).hexdigest()
    people = _people_of(content, _from_left_to_right(decided), settings)
    return _pseudonymized(decided, people)


def _numbered(by_frame: Sequence[Sequence[Face]]) -> tuple[Face, ...]:
    """The faces of all frames, each with the number of its frame; not in a still."""
    has_several = len(by_frame) > 1
    return tuple(
        replace(face, frame=number if has_several else None)
        for number, faces in enumerate(by_frame)
        for face in faces
    )
