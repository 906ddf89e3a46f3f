"""Files that are neither pictures nor films: they are named, never called clean."""

import codecs
import re

from faceanon.audit.scan.part import Part

HEAD = 784
"""So many bytes from the beginning are enough to tell them."""

_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for pattern, what in (
        (rb"%PDF-", "a PDF"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript file"),
        (rb"{\\rtf", "an RTF document"),
        (rb"PK\x03\x04.{26}(\[Content_Types|_rels/)", "an Office document"),
        (rb"PK\x03\x04.{26}mimetypeapplication/epub", "an EPUB"),
        (rb"PK\x03\x04.{26}mimetypeapplication/vnd", "an OpenDocument file"),
        (rb"PK[\x03\x05\x07][\x04\x06\x08]", "a ZIP archive"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document of the old form"),
        (rb"Rar!\x1a\x07", "a RAR archive"),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "a compressed file"),
        (rb".{257}ustar", "a tar archive"),
        (rb"PAR1", "a Parquet file"),
        (rb"SQLite format 3\0", "an SQLite database"),
        (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]", "an MP3"),
        (rb"fLaC", "a FLAC"),
        (rb"RIFF.{4}WAVE", "a WAVE"),
        (rb"FORM.{4}AIF[FC]", "an AIFF"),
        (rb"#!AMR", "an AMR recording"),
        (rb"\0\0\x01\0[^\0]\0", "an icon (ICO)"),
        (rb"P[1-7]\s", "a Netpbm picture (PNM)"),
        (rb"\x76\x2f\x31\x01", "an OpenEXR picture"),
        (rb"#\?(RADIANCE|RGBE)", "a Radiance picture (HDR)"),
        (rb"DDS \x7c\0\0\0", "a DDS picture"),
        (rb"qoif", "a QOI picture"),
        (rb"\x0a[\0-\x05]\x01[\x01\x02\x04\x08]", "a PCX picture"),
        (rb"FUJIFILMCCD-RAW", "a raw picture (RAF)"),
        (rb".{4}ftypcrx ", "a raw picture (CR3)"),
        (rb".{128}DICM", "a DICOM file"),
        (rb"\0\x05\x16[\0\x07]", "an AppleDouble file"),
        (rb"bplist00", "a property list"),
        (rb"\x7fELF|MZ.{58}|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", "a program"),
    )
)

# In what is text.
_MARKUP = (
    (re.compile(r"<svg\b", re.IGNORECASE), "an SVG"),
    (re.compile(r"<(!doctype )?html\b", re.IGNORECASE), "an HTML page"),
    (re.compile(r"\s*<\?xml\b"), "an XML file"),
)
_CONTROLS = re.compile(r"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def named(file: Part) -> str:
    """What a file is of which nothing here knows the structure."""
    head = bytes(file.data[:HEAD])
    if not head:
        return "an empty file"
    for pattern, what in _KINDS:
        if pattern.match(head):
            return what
    text = _text(head)
    if text is None:
        return "a format that is not known"
    for markup, what in _MARKUP:
        if markup.search(text):
            return what
    return "a text"


def _text(head: bytes) -> str | None:
    """The beginning of a text; None of what is none."""
    is_wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if is_wide else "utf-8")()
    try:
        # A character that is cut off at the end is none that is wrong.
        text = decoder.decode(head)
    except UnicodeError:
        return None
    return None if _CONTROLS.search(text) else text
