"""The audit of one output: what its file holds, and what is left of the faces."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import cv2

from faceanon.anonymizers.base import Promise
from faceanon.audit.scan import Kind as FileKind
from faceanon.audit.scan import scan
from faceanon.audit.verify.embedded import shows
from faceanon.audit.verify.faces import Compared, compare_faces, said_of
from faceanon.audit.verify.findings import Finding, Kind
from faceanon.audit.verify.pairing import Pair
from faceanon.errors import PictureError
from faceanon.media.clip_reading import opened
from faceanon.media.picture import Picture, eight_bit
from faceanon.media.reading import decode
from faceanon.model import Image
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.process import attempted
from faceanon.storage.files import read_source
from faceanon.vision.detection.find import SAME_FACE
from faceanon.vision.recognition.embedding import Embedding

# The longest side of what the page shows, in pixels, and its quality.
_THUMBNAIL, _QUALITY = 480, 80


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A face that is clear in an input, and what is at its place in the output.

    Attributes:
        picture: the path of the output below OUT.
        original: the embedding of the face.
        treated: the embedding of what is at its place.
        promise: what the method promises of it.
    """

    picture: str
    original: Embedding
    treated: Embedding
    promise: Promise


@dataclass(frozen=True, slots=True, eq=False)
class Audited(Outcome):
    """What came of the audit of one output.

    Attributes:
        findings: what was found.
        probes: the faces that were to be hidden and can be compared over all pictures;
            of several frames, those of the first.
        thumbnail: the output, small, as a JPEG: the first frame with a finding about a
            face, else the first; empty where nothing was found.
    """

    findings: tuple[Finding, ...] = ()
    probes: tuple[Probe, ...] = ()
    thumbnail: bytes = b""


def audit(job: Job, max_pixels: int) -> Outcome:
    """Audit one output.

    Args:
        job: a `Pair`.
        max_pixels: refuse larger pictures.

    Returns:
        An `Audited`; an outcome that is none, and failed, if something went wrong that
        is not the picture's fault.
    """
    assert isinstance(job, Pair), "only pairs are audited"
    return attempted(job, _Audit(job, max_pixels).outcome)


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

    def outcome(self) -> Audited:
        try:
            output = _read(replace(self.pair, source=self.pair.target), "the output")
            self._look_into(output)
            self._compare(_read(self.pair, "the input"), output)
        except PictureError as error:
            self._add(Kind.NOT_COMPARED, f"faces were not compared: {error}")
        return Audited(
            self.pair,
            Status.FOUND if self.findings else Status.NO_FACES,
            width=self.width,
            height=self.height,
            findings=tuple(self.findings),
            probes=tuple(self.probes),
            thumbnail=self.thumbnail if self.findings else b"",
        )

    def _add(self, kind: Kind, what: str, fails: bool = True, **more: Any) -> None:
        finding = Finding(kind, fails, what, self.pair.name, self.pair.output)
        self.findings.append(replace(finding, **more))

    def _look_into(self, output: bytes) -> None:
        """What the file holds beside its picture."""
        for found in scan(output):
            if found.identifies:
                fails = not (found.kind is FileKind.DATE and self.pair.keeps_time)
                what = f"the file holds: {found.what} ({found.kind}, {found.path})"
                self._add(Kind.FILE, what, fails, found=found)

    def _compare(self, source: bytes, output: bytes) -> None:
        """The faces of all frames."""
        befores = _frames(source, self.max_pixels, "the input")
        afters = _frames(output, self.max_pixels, "the output")
        for before, after in zip_longest(befores, afters):
            if after is not None and not after[0]:
                self._begin(output, before and before[1], after[1])
            if before is None or after is None:
                raise PictureError("the input and the output differ in their frames")
            self._compare_frame(before[1], after[1], before[0])

    def _begin(self, output: bytes, before: Image | None, after: Image) -> None:
        """What there is to do with the first frames."""
        self.height, self.width = after.shape[:2]
        self.thumbnail = _small(after)
        for number, finding in enumerate(self.findings):
            found = finding.found
            if found and found.kind is FileKind.PICTURE and found.offset is not None:
                embedded = output[found.offset : found.offset + found.length]
                whose, fails = "", True
                if shows(embedded, after):
                    whose, fails = "; it shows the output itself", False
                elif before is not None and shows(embedded, before):
                    whose = "; it shows the original"
                what = finding.what + whose
                self.findings[number] = replace(finding, fails=fails, what=what)

    def _compare_frame(self, before: Image, after: Image, frame: int | None) -> None:
        if before.shape != after.shape:
            raise PictureError(
                f"it was {before.shape[1]} x {before.shape[0]} pixels and is "
                f"{after.shape[1]} x {after.shape[0]}"
            )
        had_faces = any(finding.box for finding in self.findings)
        for compared in compare_faces(before, after, self.pair.promise):
            self._take(compared, frame)
        if frame and not had_faces and any(each.box for each in self.findings):
            self.thumbnail = _small(after)

    def _take(self, compared: Compared, frame: int | None) -> None:
        """Say what there is to say of a face."""
        pair, face, likeness = self.pair, compared.face, compared.likeness
        is_shown = any(
            face.box.overlap(box) >= SAME_FACE
            for box, number in pair.shown
            if number in (None, frame)
        )
        is_first = not frame and compared.is_sure and not is_shown
        if is_first and likeness.original is not None:
            assert likeness.treated is not None, "they come together"
            self.probes.append(
                Probe(pair.output, likeness.original, likeness.treated, pair.promise)
            )
        said = said_of(compared, pair.promise, is_shown)
        if said is not None:
            self._add(
                said.kind,
                said.what,
                said.fails,
                frame=frame,
                box=face.box,
                similarity=likeness.similarity,
            )


def _read(job: Job, whose: str) -> bytes:
    """A file, whole."""
    try:
        return read_source(job)[0]
    except PictureError as error:
        raise PictureError(f"{whose}: {error}") from error


def _frames(
    data: bytes, max_pixels: int, whose: str
) -> Iterator[tuple[int | None, Image]]:
    """Each frame of a file as a detector wants it, with its number if it has several.

    Raises:
        PictureError: it cannot be read; the text says whose fault it is.
    """
    try:
        with opened(data, max_pixels) as several:
            if several is None:
                yield None, eight_bit(decode(data, max_pixels).color)
                return
            is_one = several.header.count == 1
            for number, frame in enumerate(several.frames):
                picture = Picture(frame.pixels, frame.encoding)
                yield None if is_one else number, eight_bit(picture.color)
    except PictureError as error:
        raise PictureError(f"{whose}: {error}") from error


def _small(image: Image) -> bytes:
    """The image, small, as a JPEG."""
    scale = min(1, _THUMBNAIL / max(image.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "OpenCV encodes every image of 8 bits as a JPEG"
    return data.tobytes()
