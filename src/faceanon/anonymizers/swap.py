"""Let the faces of a picture trade places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from faceanon import anonymizers
from faceanon.anonymizers.base import (
    Anonymizer,
    Guarantee,
    InFilm,
    ReportingAnonymizer,
    Sample,
    Treated,
)
from faceanon.anonymizers.faceblend import put_in_place
from faceanon.anonymizers.facepairs import (
    Candidate,
    Head,
    candidates_of,
    costs_of,
    heads_of,
    is_of,
    lies_in_outline,
    partners_of,
    portrayed,
    sure_landmarks,
    turned_like,
)
from faceanon.anonymizers.facewarp import Portrait, portrait
from faceanon.anonymizers.tracks import Past, Tracks, rngs_of_tracks, steady_shape
from faceanon.errors import PictureError
from faceanon.media.picture import eight_bit
from faceanon.model import Cover, Face, Image
from faceanon.options import option
from faceanon.vision.recognition.embedding import Embedding, direction
from faceanon.vision.recognition.observing import observe

Otherwise: TypeAlias = Literal["pixelate", "blur", "blackbar", "emoji", "fail"]

# Hair, head and skin stay, and with them some likeness, as `verify` knows; from this
# similarity on, the new face does not hide the old one.
_STILL_KNOWN = 0.62

# From this similarity on a recogniser takes two faces of a film for one person, who
# must not get their own face.
_ONE_PERSON = 0.363

# In a film faces may be so much worse than in a picture, and differ so much more, as
# long as they are seen well somewhere. A face that was not fit is swapped again when it
# has been for so many frames: it does not go to and fro. The shape of its mesh is
# smoothed over so many.
_LOOSER = 1.4
_FIT_AGAIN = 8
_SHAPE_FRAMES = 2.0


@dataclass(frozen=True)
class Swap(ReportingAnonymizer):
    """Let the faces of each picture trade places: nobody keeps their own.

    A picture with one face is an error. Faces that cannot be swapped (too small, turned
    too far, with something in front, or without a partner of about their size, pose and
    sharpness) are hidden as --otherwise says. The faces of those who are swapped can
    still be seen, on the shoulders of others.
    """

    guarantee: ClassVar[Guarantee] = Guarantee.MOVED

    samples: ClassVar[int] = 3

    otherwise: Otherwise = option(
        "pixelate",
        "How to hide faces that cannot be swapped: with another method, or not at all: "
        "the picture fails.",
        choices=("pixelate", "blur", "blackbar", "emoji", "fail"),
    )

    def cautions(self) -> tuple[str, ...]:
        """Say that the faces are still in the picture."""
        return (
            "swap hides who stood where, not who was there: every swapped face can "
            "still be seen, on another person",
        )

    def for_film(
        self,
        samples: Mapping[int, Sequence[Sample]],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Anonymizer:
        """Choose everybody's partner for the whole film; see `Anonymizer.for_film`.

        Raises:
            PictureError: there is one face only, or one that cannot be swapped, and
                they are not to be hidden otherwise.
        """
        return _SwapInFilm(self, samples, cover, rng)

    def partners(
        self, image: Image, faces: Sequence[Face], others: Sequence[Face]
    ) -> Sequence[Face]:
        """Somebody to trade places with, if none of the faces can with another."""
        finds = portrayed(image, faces)
        candidates = candidates_of(image, heads_of(finds), others)
        if not candidates or np.isfinite(costs_of(candidates)).any():
            return ()
        all_heads = heads_of([*finds, *portrayed(image, others)])
        more = [
            candidate
            for candidate in candidates_of(image, all_heads, ())
            if candidate.face in others
        ]
        costs = costs_of([*candidates, *more])
        count = len(candidates)
        there_and_back = costs[:count, count:] + costs[count:, :count].T
        if not np.isfinite(there_and_back).any():
            return ()
        best = int(np.argmin(there_and_back.min(axis=0)))
        return (more[best].face,)

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """Swap the faces that can be, and hide the rest; see `Anonymizer.treat`."""
        heads = heads_of(portrayed(image, [*faces, *others]))
        if len(heads) == 1:
            raise PictureError(_needs_two("picture"))
        candidates = [
            candidate
            for candidate in candidates_of(image, heads, others)
            if candidate.face in faces
        ]
        sources = partners_of(costs_of(candidates), rng)
        swapped = [n for n, source in enumerate(sources) if source != n]
        result = image.copy()
        # Faces in front are larger, mostly, and are drawn last.
        for number in sorted(swapped, key=lambda n: candidates[n].portrait.width):
            target = candidates[number].portrait
            source = turned_like(candidates[sources[number]].portrait, target)
            put_in_place(result, source, target, candidates[number].skin, rng)
        gone = _seen_swapped(
            heads,
            [
                candidates[n]
                for n in swapped
                if not _still_known(image, result, candidates[n].face)
            ],
        )
        single = [face for face in faces if face not in gone]
        if not single:
            return Treated(result)
        if self.otherwise == "fail":
            raise PictureError(_fail(len(single), len(faces), "picture"))
        method = anonymizers.get(self.otherwise)()
        rest = [*(face for face in faces if face in gone), *others]
        hidden = method.treat(result, single, rest, cover, rng).image
        return Treated(hidden, dict.fromkeys(single, self.otherwise))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A sample of a track, as a candidate, and what tells whose face it is."""

    track: int
    image: Image
    candidate: Candidate
    embedding: Embedding


class _SwapInFilm(InFilm):
    """Swap, with partners and their portraits that stay all over a film."""

    method: Swap

    def __init__(
        self,
        method: Swap,
        samples: Mapping[int, Sequence[Sample]],
        cover: Cover,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(method)
        people = [track for track, seen in samples.items() if not _are_parts(seen)]
        if len(people) == 1:
            raise PictureError(_needs_two("film"))
        self._sources = _sources(_all_seen(people, samples), rng)
        single = len(people) - len(self._sources)
        if method.otherwise == "fail":
            if single:
                raise PictureError(_fail(single, len(people), "film"))
            self._otherwise = None
        else:
            hiding = anonymizers.get(method.otherwise)()
            self._otherwise = hiding.for_film(samples, cover, rng)
        self._tracks = Tracks()

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """Swap the faces that can be in this frame; see `Anonymizer.treat`."""
        result = image.copy()
        of_tracks = rngs_of_tracks(faces, rng)
        gone: set[Face] = set()
        # Faces in front are larger, mostly, and are drawn last.
        for face, past in self._tracks.back_to_front(faces):
            source = self._sources.get(-1 if face.track is None else face.track)
            if face.track is None or source is None:
                continue
            strangers = [one for one in (*faces, *others) if one is not face]
            target = _target(image, face, strangers, source, past)
            if target is None:
                continue
            # New grain in each frame, as in the rest of the film.
            drawn = int(of_tracks[face.track].integers(2**63))
            grain = np.random.default_rng([drawn, face.frame or 0])
            put_in_place(result, source.portrait, target.portrait, target.skin, grain)
            gone.update(_seen_swapped([_head(face, target.portrait, faces)], [target]))
        single = [face for face in faces if face not in gone]
        if not single:
            return Treated(result)
        if self._otherwise is None:
            raise PictureError(_fail(len(single), len(faces), "film"))
        rest = [*(face for face in faces if face in gone), *others]
        hidden = self._otherwise.treat(result, single, rest, cover, rng).image
        return Treated(hidden, dict.fromkeys(single, self.method.otherwise))


def _needs_two(what: str) -> str:
    return (
        "swap needs at least two faces and there is one to hide; use another method "
        f"for this {what}"
    )


def _fail(single: int, count: int, what: str) -> str:
    return (
        f"{single} of {count} faces cannot be swapped; use another method for this "
        f"{what}, or hide them as --otherwise says"
    )


def _are_parts(samples: Sequence[Sample]) -> bool:
    """Whether what was found is a part of another face wherever it is seen."""
    return bool(samples) and all(
        any(
            other.score > sample.face.score
            and is_of(sample.face, None, Head([other], None))
            for other in sample.others
        )
        for sample in samples
    )


def _head(face: Face, shown: Portrait | None, others: Sequence[Face]) -> Head:
    """A face, and what was found of the same head besides."""
    main = Head([face], None)
    parts = [one for one in others if one is not face and is_of(one, None, main)]
    return Head([face, *parts], shown)


def _all_seen(
    tracks: Sequence[int], samples: Mapping[int, Sequence[Sample]]
) -> list[_Seen]:
    """The samples in which a face can be swapped, and it is known whose it is.

    Somebody whom the film shows twice is two tracks.
    """
    found = []
    for track in tracks:
        for sample in samples[track]:
            mesh = sure_landmarks(sample.image, sample.face)
            shown = portrait(sample.image, mesh) if mesh else None
            head = _head(sample.face, shown, sample.others)
            for candidate in candidates_of(sample.image, [head], sample.others):
                known = observe(eight_bit(sample.image), sample.face)
                if known is not None:
                    seen = sample.image, candidate, known.embedding
                    found.append(_Seen(track, *seen))
    return found


def _sources(seen: Sequence[_Seen], rng: np.random.Generator) -> dict[int, Candidate]:
    """Whose face is shown on each track of a film that can be swapped."""
    if not seen:
        return {}
    costs = costs_of([one.candidate for one in seen])
    embeddings = np.array([direction(one.embedding) for one in seen])
    alike = embeddings @ embeddings.T
    tracks = list(dict.fromkeys(one.track for one in seen))
    of_track = [
        np.flatnonzero([one.track == track for one in seen]) for track in tracks
    ]
    # Of each two tracks the samples that fit each other best.
    between = np.full((len(tracks), len(tracks)), np.inf)
    for target, rows in enumerate(of_track):
        for source, columns in enumerate(of_track):
            block = np.ix_(rows, columns)
            if target != source and alike[block].max() < _ONE_PERSON:
                between[target, source] = costs[block].min()
    sources = {}
    for target, source in enumerate(partners_of(between, rng)):
        if source == target:
            continue
        rows, columns = of_track[target], of_track[source]
        fitting = costs[np.ix_(rows, columns)]
        row, column = np.unravel_index(np.argmin(fitting), fitting.shape)
        image, here = seen[rows[row]].image, seen[rows[row]].candidate
        there = seen[columns[column]].candidate
        shown = turned_like(there.portrait, here.portrait)
        # A copy: all of its frame would be kept otherwise.
        shown = replace(shown, pixels=shown.pixels.copy())
        result = image.copy()
        put_in_place(result, shown, here.portrait, here.skin, rng)
        if not _still_known(image, result, here.face):
            sources[tracks[target]] = replace(there, portrait=shown)
    return sources


def _target(
    image: Image,
    face: Face,
    strangers: Sequence[Face],
    source: Candidate,
    past: Past,
) -> Candidate | None:
    """A face in a frame, if the source can be shown in its place."""
    mesh = sure_landmarks(image, face)
    found: list[Candidate] = []
    if mesh is not None:
        calm = steady_shape(past, mesh.points, _SHAPE_FRAMES)
        shown = portrait(image, replace(mesh, points=calm))
        head = _head(face, shown, strangers)
        # The new face is made as soft as the old one, whatever that is.
        known = source.fineness
        found = candidates_of(image, [head], strangers, _LOOSER, known)
    if not found or not np.isfinite(costs_of([found[0], source], _LOOSER)[0, 1]):
        past.note("unfit", _FIT_AGAIN)
        return None
    unfit = past.note("unfit", max((past.recalled("unfit") or 0) - past.step, 0))
    return None if unfit else found[0]


def _seen_swapped(heads: Sequence[Head], swapped: Sequence[Candidate]) -> set[Face]:
    """The finds that show somebody else now: the swapped faces, and parts of them."""
    gone = set()
    for candidate in swapped:
        gone.add(candidate.face)
        (head,) = (head for head in heads if head.finds[0] is candidate.face)
        gone.update(
            find for find in head.finds if lies_in_outline(find, candidate.portrait)
        )
    return gone


def _still_known(image: Image, result: Image, face: Face) -> bool:
    """Whether a recogniser takes the new face for the old one: they are too alike."""
    before, after = (observe(eight_bit(seen), face) for seen in (image, result))
    if before is None or after is None:
        return False
    likeness = direction(before.embedding) @ direction(after.embedding)
    return float(likeness) > _STILL_KNOWN
