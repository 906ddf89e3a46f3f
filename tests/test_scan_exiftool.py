"""The leak scanner against exiftool, on the same files."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from faceanon.audit.scan import Kind, scan
from leaks import LEAKS
from support import EXAMPLES

# What exiftool calls a thing that identifies, and what it has to be here. In maker
# notes everything is part of the finding "maker note".
EXIFTOOL: dict[str, set[Kind]] = {
    r"\w+:(\w*Thumbnail\w*|Preview\w*|OtherImage|JpgFromRaw|MPImage2|Image)": {
        Kind.PICTURE
    },
    r"GPS:(?!GPSVersionID)\w+|XMP-\w+:GPS(Lat|Lon|Alt)\w+": {Kind.PLACE},
    r"IPTC:City|IFD0:GeoTiffAsciiParams": {Kind.PLACE},
    r"\w+[-\w]*:\w*SerialNumber": {Kind.SERIAL, Kind.MAKER_NOTE},
    r"\w+[-\w]*:(Owner\w*|Artist|By-line|Creator|RegionName|Author)": {
        Kind.NAME,
        Kind.MAKER_NOTE,
    },
    r"File:Comment|GIF:Comment|IFD0:ImageDescription|PNG:Comment": {Kind.COMMENT},
    r"\w+:EmbeddedVideo": {Kind.VIDEO},
    r"Trailer:\w+": {Kind.TRAILER},
}
MAKER_NOTES = re.compile(r"(Canon|Nikon|Sony|Olympus|Kodak|Minolta|Panasonic)\w*:")
NUMBERS_OF_PICTURES = re.compile(r"(Offset|Length|Start|Width|Height|Valid\w*|Size)$")


@pytest.mark.skipif(
    shutil.which("exiftool") is None,
    reason="exiftool is not installed (Debian: libimage-exiftool-perl)",
)
def test_what_exiftool_finds_is_found(tmp_path: Path) -> None:
    for name, (data, _) in LEAKS.items():
        (tmp_path / name).write_bytes(data)
    for path in EXAMPLES.glob("*.*g"):
        shutil.copy(path, tmp_path)
    listed = subprocess.run(
        ["exiftool", "-a", "-G1", "-ee3", "-j", tmp_path],
        capture_output=True,
        check=False,
    )
    compared = 0
    for tags in json.loads(listed.stdout):
        path = Path(tags["SourceFile"])
        kinds = {finding.kind for finding in scan(path) if finding.identifies}
        for tag in tags:
            compared += _agree(tag, kinds, path.name)
    assert compared > 40


def _agree(tag: str, kinds: set[Kind], file: str) -> int:
    for pattern, wanted in EXIFTOOL.items():
        if re.fullmatch(pattern, tag) and not NUMBERS_OF_PICTURES.search(tag):
            covered = MAKER_NOTES.match(tag) and Kind.MAKER_NOTE in kinds
            assert wanted & kinds or covered, f"{file}: {tag}"
            return 1
    return 0
