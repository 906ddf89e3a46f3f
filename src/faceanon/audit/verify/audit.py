"""The audit of one output: what its file holds, and what is left of the faces."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from faceanon.anonymizers.base import Guarantee
from faceanon.audit.scan import Kind as FileKind
from faceanon.audit.scan import scan
from faceanon.audit.verify.embedded import shows
from faceanon.audit.verify.faces import Compared, compare_faces, said_of
from faceanon.audit.verify.film import SideBySide
from faceanon.audit.verify.findings import Finding, Kind, merged
from faceanon.audit.verify.pairing import Pair
from faceanon.audit.verify.similarity import Traces
from faceanon.audit.verify.sound import compare_sounds, sounds_of
from faceanon.errors import PictureError
from faceanon.media.clip import Clip
from faceanon.media.picture import Picture, eight_bit
from faceanon.media.reading import VIDEO_AS_IT_IS, open_clip
from faceanon.media.video.library import clock
from faceanon.media.video.options import VideoOptions
from faceanon.media.video.reading import VideoClip
from faceanon.model import Image
from faceanon.pipeline.progress import tell_extent
from faceanon.storage.files import open_source
from faceanon.vision.detection.find import is_same
from faceanon.vision.detection.voting import SAME_FACE

# The longest side of what the page shows, in pixels, and its quality.
_THUMBNAIL, _QUALITY = 480, 80


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A face that is clear in an input, and what is at its place in the output.

    Attributes:
        picture: the path of the output below OUT.
        traces: what can be compared with others.
        guarantee: what the method promises of it.
    """

    picture: str
    traces: Traces
    guarantee: Guarantee


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """The outcome of the audit of one output.

    Attributes:
        pair: the input and the output.
        findings: what was found.
        probes: the faces that were to be hidden and can be compared over all pictures;
            of several frames, those of the first that has any.
        width: of the output, in pixels; 0 when it could not be read.
        height: likewise.
        thumbnail: the output, small, as a JPEG: the first frame with a finding about a
            face, else the first; empty where nothing was found.
        frames: how many frames of a film were compared; 0 of what is no film.
        looked: in how many of them faces were looked for.
    """

    pair: Pair
    findings: tuple[Finding, ...] = ()
    probes: tuple[Probe, ...] = ()
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""
    frames: int = 0
    looked: int = 0


@dataclass(frozen=True, slots=True)
class AuditWork:
    """Audits outputs, each in a process that may die of it; see `isolated.Work`.

    Attributes:
        max_pixels: refuse larger pictures.
    """

    max_pixels: int

    def __call__(self, pair: Pair) -> Audited:
        """Audit one output; that it did not come to its end is its finding."""
        try:
            return _Audit(pair, self.max_pixels).audited()
        except MemoryError:
            return self.failed(pair, "there is not enough memory for it")
        except Exception as error:  # noqa: BLE001  the audit of the others goes on
            return self.failed(pair, f"unexpected {type(error).__name__}: {error}")

    def failed(self, pair: Pair, reason: str) -> Audited:
        """See `isolated.Work`."""
        what = f"it was not audited: {reason}"
        finding = Finding(Kind.NOT_COMPARED, True, what, pair.name, pair.output)
        return Audited(pair, (finding,))

    def clear_away(self, pair: Pair) -> None:
        """See `isolated.Work`; nothing is written."""

    def attempts(self, pair: Pair) -> int:
        """See `isolated.Work`."""
        return 1

    def has_time_limit(self, pair: Pair) -> bool:
        """See `isolated.Work`."""
        return True


@dataclass
class _Audit:
    """The audit of one output while it goes on."""

    pair: Pair
    max_pixels: int
    findings: list[Finding] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""
    frames: int = 0
    looked: Sequence[int] = ()

    def audited(self) -> Audited:
        pair = self.pair
        try:
            with _opened(pair.target, "the output") as output:
                self._look_into(pair.target)
                with _opened(pair.source, "the input", pair.is_plain) as source:
                    self._compare(source, output)
        except PictureError as error:
            what = "the rest was" if self.looked else "faces were"
            self._add(Kind.NOT_COMPARED, f"{what} not compared: {error}")
        return Audited(
            pair,
            tuple(merged(self.findings, self.looked)),
            tuple(self.probes),
            self.width,
            self.height,
            self.thumbnail if self.findings else b"",
            self.frames,
            len(self.looked),
        )

    def _add(self, kind: Kind, what: str, fails: bool = True, **more: Any) -> None:
        finding = Finding(kind, fails, what, self.pair.name, self.pair.output)
        self.findings.append(replace(finding, **more))

    def _look_into(self, output: Path) -> None:
        """What the file holds beside its picture."""
        for found in scan(output):
            if found.identifies:
                fails = not (found.kind is FileKind.DATE and self.pair.keeps_time)
                what = f"the file holds: {found.what} ({found.kind}, {found.path})"
                self._add(Kind.FILE, what, fails, found=found)

    def _compare(self, source: BinaryIO, output: BinaryIO) -> None:
        """The faces of all frames, or of a film those of some, and its sound."""
        with (
            self._clip(source, "the input", self.pair.video) as before,
            self._clip(output, "the output") as after,
        ):
            if isinstance(before, VideoClip) and isinstance(after, VideoClip):
                self._compare_films(before, after, output)
            elif isinstance(before, VideoClip) or isinstance(after, VideoClip):
                raise PictureError("of the input and the output, only one is a film")
            else:
                self._compare_clips(before, after, output)

    @contextmanager
    def _clip(
        self, file: BinaryIO, whose: str, video: VideoOptions = VIDEO_AS_IT_IS
    ) -> Iterator[Clip]:
        """What a file shows.

        Raises:
            PictureError: it cannot be opened; the text says whose fault it is.
        """
        with ExitStack() as stack:
            try:
                clip = stack.enter_context(open_clip(file, self.max_pixels, video))
            except PictureError as error:
                raise PictureError(f"{whose}: {error}") from error
            tell_extent(clip.header)
            yield clip

    def _compare_clips(self, before: Clip, after: Clip, output: BinaryIO) -> None:
        """All frames of pictures and animations."""
        befores, afters = _frames(before, "the input"), _frames(after, "the output")
        for was, now in zip_longest(befores, afters):
            if now is not None and not now.number:
                first = None if was is None else was.looks[0]
                self._begin(output, first, now.looks[0])
            if was is None or now is None:
                raise PictureError("the input and the output differ in their frames")
            self._compare_frame(was, now)

    def _compare_films(
        self, before: VideoClip, after: VideoClip, output: BinaryIO
    ) -> None:
        """Some frames of films, and their sounds."""
        tracks = self.pair.tracks
        edges = [number for track in tracks for number in (track.first, track.last)]
        walk = SideBySide(before, after, edges)
        self.looked = walk.looked
        problem: PictureError | None = None
        try:
            for moment in walk.moments():
                was, now = (
                    _Looks(moment.number, _looks(each.picture), moment.after.time)
                    for each in (moment.before, moment.after)
                )
                if not moment.number:
                    self._begin(output, was.looks[0], now.looks[0])
                self._compare_frame(was, now)
        except PictureError as error:
            problem = error
        self.frames = walk.frames
        if walk.starts is not None:
            self._compare_sounds(before, after, walk.starts)
            self._tell_part(before.options, walk)
        if problem is not None:
            raise problem

    def _compare_sounds(
        self, before: VideoClip, after: VideoClip, starts: tuple[Fraction, Fraction]
    ) -> None:
        was, now = (
            sounds_of(clip, start)
            for clip, start in zip((before, after), starts, strict=True)
        )
        self._pass_sounds(len(was), len(now))
        begin = Fraction(0) if before.options.start is not None else -starts[0]
        end = before.options.end
        part = float(begin), float("inf" if end is None else end - starts[0])
        wanted = self.pair.video.sound if self.pair.is_told else None
        for difference in compare_sounds(was, now, part, wanted):
            self._add(Kind.SOUND, difference.what, difference.fails)

    def _pass_sounds(self, was: int, now: int) -> None:
        """Sounds that the input has, too, are no leak."""
        for number, finding in enumerate(self.findings):
            found = finding.found
            is_one_more = found is not None and found.what == "one more sound track"
            if is_one_more and now <= was:
                self.findings[number] = replace(finding, fails=False)

    def _tell_part(self, video: VideoOptions, walk: SideBySide) -> None:
        """Say that the output was made of a part of the input, if it was."""
        if video.start is None and video.end is None:
            return
        begin = clock(float(video.start or 0))
        end = "the end" if video.end is None else clock(float(video.end))
        what = (
            f"{walk.frames} frames: it is the part of the input from {begin} to {end}"
        )
        self._add(Kind.PART, what, False)

    def _begin(self, output: BinaryIO, before: Image | None, after: Image) -> None:
        """What there is to do with the first frames."""
        self.height, self.width = after.shape[:2]
        self.thumbnail = _small(after)
        for number, finding in enumerate(self.findings):
            found = finding.found
            if found and found.kind is FileKind.PICTURE and found.offset is not None:
                output.seek(found.offset)
                embedded = output.read(found.length)
                whose, fails = "", True
                if shows(embedded, after):
                    whose, fails = "; it shows the output itself", False
                elif before is not None and shows(embedded, before):
                    whose = "; it shows the original"
                what = finding.what + whose
                self.findings[number] = replace(finding, fails=fails, what=what)

    def _compare_frame(self, before: "_Looks", after: "_Looks") -> None:
        (height, width), (height_now, width_now) = before.shape, after.shape
        if (height, width) != (height_now, width_now):
            raise PictureError(
                f"it was {width} x {height} pixels and is {width_now} x {height_now}"
            )
        had_faces = any(finding.box for finding in self.findings)
        had_probes = bool(self.probes)
        is_film = after.time is not None
        met: list[Compared] = []
        for number in range(max(len(before.looks), len(after.looks))):
            looks = before[number], after[number]
            compared = list(
                compare_faces(
                    *looks,
                    self.pair.guarantee,
                    is_film=is_film,
                    is_probed=not had_probes,
                )
            )
            is_shown = self._is_shown_here(after, compared)
            for each in compared:
                same = [one for one in met if is_same(one.face, each.face)]
                # A face counts once, and once more where it is hidden in fewer looks.
                if not same or (each.kind and not any(one.kind for one in same)):
                    self._take(each, after, is_shown, is_probed=not had_probes)
            met += compared
        is_later = bool(before.number)
        if is_later and not had_faces and any(each.box for each in self.findings):
            self.thumbnail = _small(after.looks[0])

    def _is_shown_here(self, looks: "_Looks", compared: Sequence[Compared]) -> bool:
        """Whether the faces that are open in a frame were not to be hidden.

        The report tells how many tracks are shown, and when, but not where they are.
        """
        number = looks.number or 0
        shown = sum(
            not track.is_hidden and track.first <= number <= track.last
            for track in self.pair.tracks
        )
        is_open = sum(each.kind is not None and each.is_sure for each in compared)
        return 0 < is_open <= shown

    def _take(
        self, compared: Compared, looks: "_Looks", is_shown: bool, *, is_probed: bool
    ) -> None:
        """Say what there is to say of a face.

        Args:
            compared: the face.
            looks: the frame.
            is_shown: whether no face in this frame was to be hidden.
            is_probed: whether it may be compared over all pictures.
        """
        pair, face, comparison = self.pair, compared.face, compared.comparison
        frame = looks.number
        is_shown &= compared.kind is not None
        is_shown |= any(
            face.box.overlap(box) >= SAME_FACE
            for box, number in pair.shown
            if number in (None, frame)
        )
        is_probed &= compared.is_sure and not is_shown
        if is_probed and comparison.traces is not None:
            self.probes.append(Probe(pair.output, comparison.traces, pair.guarantee))
        said = said_of(compared, pair.guarantee, is_shown)
        if said is not None:
            self._add(
                said.kind,
                said.what,
                said.fails,
                frame=frame,
                time=None if looks.time is None else float(looks.time),
                box=face.box,
                similarity=comparison.similarity,
            )


@contextmanager
def _opened(path: Path, whose: str, is_plain: bool = True) -> Iterator[BinaryIO]:
    """A file, open for reading.

    Raises:
        PictureError: it cannot be opened; the text says whose fault it is.
    """
    with ExitStack() as stack:
        try:
            source = stack.enter_context(open_source(path, is_plain=is_plain))
        except PictureError as error:
            raise PictureError(f"{whose}: {error}") from error
        yield source.file


@dataclass(frozen=True, slots=True)
class _Looks:
    """What can be seen of a frame.

    Attributes:
        number: of the frame; None where there is one only.
        looks: as `Picture.looks` has them, uint8.
        time: when it is shown in the output, in seconds; None in what is no film.
    """

    number: int | None
    looks: list[Image]
    time: Fraction | None = None

    def __getitem__(self, number: int) -> Image:
        # What is opaque looks the same on every page.
        return self.looks[number if number < len(self.looks) else 0]

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.looks[0].shape[:2]
        return height, width


def _frames(clip: Clip, whose: str) -> Iterator[_Looks]:
    """Each frame of a clip as a detector wants it.

    Raises:
        PictureError: it cannot be read; the text says whose fault it is.
    """
    try:
        is_one = clip.header.count == 1
        for number, frame in enumerate(clip.frames()):
            yield _Looks(None if is_one else number, _looks(frame.picture))
    except PictureError as error:
        raise PictureError(f"{whose}: {error}") from error


def _looks(picture: Picture) -> list[Image]:
    return [eight_bit(look) for look in picture.looks]


def _small(image: Image) -> bytes:
    """The image, small, as a JPEG."""
    scale = min(1, _THUMBNAIL / max(image.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "OpenCV encodes every image of 8 bits as a JPEG"
    return data.tobytes()
