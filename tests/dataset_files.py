"""Dataset files, written as the programs that make them do."""

import io
import tarfile
from pathlib import Path

import cv2

from support import EXAMPLES, encoded, read

MTIME = 1_700_000_000
ASTRONAUT = (EXAMPLES / "astronaut.png").read_bytes()
CAT = (EXAMPLES / "cat.png").read_bytes()
CURIES = (EXAMPLES / "curies.jpg").read_bytes()
BROKEN = CURIES[: len(CURIES) // 2]
# Her left eye.
EYE = (112, 203)

Members = dict[str, bytes]


def write_tar(path: Path, members: Members) -> Path:
    """A tar, packed or not, as the webdataset package writes them."""
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), MTIME, 0o640
            member.uname = member.gname = "bigdata"
            tar.addfile(member, io.BytesIO(data))
    return path


def read_tar(path: Path) -> Members:
    return unpacked(path.read_bytes())


def unpacked(data: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {
            member.name: file.read()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }


def samples() -> Members:
    """Three samples: pictures with what belongs to them."""
    return {
        "000000.png": ASTRONAUT,
        "000000.json": b'{"text": "an astronaut"}',
        "000000.cls": b"3",
        "000001.seg.jpg": CURIES,
        "000001.json": b"{}",
        "000002.png": CAT,
        "000002.npy": bytes(range(256)) * 8000,  # not small
    }


def small(width: int) -> bytes:
    """A picture of a face, of a width by which the plug-in `faulty` knows it."""
    face = read(EXAMPLES / "astronaut.png")[20:240, 120:330]
    return encoded(cv2.resize(face, (width, 90)), ".jpg")


def write_small_tars(folder: Path, names: str, widths: range) -> Path:
    """A folder of tar files, one for each letter, of pictures of these widths."""
    folder.mkdir()
    for name in names:
        members = {f"{width}.jpg": small(width) for width in widths}
        write_tar(folder / f"{name}.tar", members)
    return folder
