"""XMP: every property of a packet, with what its name and its value say."""

import base64
import binascii
import re
from xml.parsers import expat

from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk
from faceanon.audit.scan.values import kind_of_product, tells_time

# The names by which namespaces go; a property of another is called "other", as the name
# itself may tell something.
_PREFIXES = {
    "adobe:ns:meta/": "x",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/XML/1998/namespace": "xml",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/g/img/": "xmpGImg",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://ns.adobe.com/xap/1.0/sType/Dimensions#": "stDim",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "hdrgm",
    "http://ns.apple.com/HDRGainMap/1.0/": "HDRGainMap",
    "http://ns.apple.com/faceinfo/1.0/": "apple-fi",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.google.com/photos/1.0/depthmap/": "GDepth",
    "http://ns.google.com/photos/1.0/image/": "GImage",
    "http://ns.google.com/photos/1.0/audio/": "GAudio",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://www.dji.com/drone-dji/1.0/": "drone-dji",
}

# Namespaces of numbers that tell of the picture only; see _NUMBERS.
_OF_SETTINGS = {"exif", "exifEX", "aux", "tiff", "crs", "hdrgm", "HDRGainMap", "GPano"}
_NUMBERS = re.compile(r"[-+0-9./,: ]{1,64}|True|False|sRGB|Uncalibrated")
_SETTINGS = {"xmp:Rating", "photoshop:ColorMode"}
_PRODUCTS = {"tiff:Make", "tiff:Model", "aux:Lens", "exifEX:LensMake"}
_PRODUCTS |= {"exifEX:LensModel"}

# What a property is called that holds such a thing, whatever its namespace; the first
# that fits decides. A property of no known kind is a comment.
_KINDS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"exif:GPSVersionID", Kind.SETTINGS),
        (r"xmp:CreatorTool", Kind.COMMENT),
        (r"GDepth:Data|GImage:Data|xmpGImg:image|:\w*[Tt]humbnail\w*", Kind.PICTURE),
        (r"GAudio:Data", Kind.SOUND),
        (r":GPS(Date|Time)\w*", Kind.DATE),
        (r":\w*(GPS|Latitude|Longitude|Altitude|Location|Coord)\w*", Kind.PLACE),
        (r":(City|State|Country\w*|Province\w*|Sub-?location|WorldRegion)", Kind.PLACE),
        (r":(CiAdr|CiTel|CiEmail|CiUrl)\w*", Kind.NAME),
        (r"mwg-rs:Name|MPReg:PersonDisplayName|:Person\w*", Kind.NAME),
        (r"(mwg-rs|MP|MPRI|MPReg|stArea|apple-fi):\w+", Kind.FACE_REGION),
        (r":\w*(Serial|UniqueID|DocumentID|InstanceID|GUID|LCID)\w*", Kind.SERIAL),
        (r"(xmpMM|stRef):\w*ID|stEvt:instanceID|rdf:about", Kind.SERIAL),
        (r":\w*([Oo]wner|[Aa]rtist|[Aa]uthor|[Cc]reator|[Bb]yline)\w*", Kind.NAME),
        (r":(rights|contributor|publisher|Credit|Source|Copyright\w*)", Kind.NAME),
        (r":(CaptionWriter|\w*(Contact|Photographer|Licensor)\w*)", Kind.NAME),
        (r":(?!ExposureTime)\w*(Date|Time)\w*|:when", Kind.DATE),
        (r"(GCamera|Container|Item|GDepth|GImage|GAudio|xmpNote):\w+", Kind.CONTAINER),
    )
)
_TRANSPARENT = {"rdf", "xml", "x"}
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{64,}=*")
_MAX_DEPTH, _NAME_LENGTH = 100, 64


def xmp(part: Part) -> Walk:
    """The properties of an XMP packet (ISO 16684-1)."""
    packet = _Packet(part)
    try:
        packet.parse()
    finally:
        # Also what stood before the place where it is damaged.
        yield from packet.found


class _Packet:
    """The parse of a packet; what it found is put together in `found`."""

    def __init__(self, part: Part) -> None:
        self.found: list[Finding | Embedded] = []
        self._part = part
        self._path: list[str] = []
        self._text: list[str] = []
        self._settings = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.CommentHandler = self._comment
        self._parser.StartDoctypeDeclHandler = self._refuse

    def parse(self) -> None:
        """Parse all of it.

        Raises:
            Damaged: it is no well-formed XML, or nested or defined without reason.
        """
        data = bytes(self._part.data).rstrip(b"\0 \r\n\t")
        try:
            self._parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise Damaged("XMP that is no XML") from error
        finally:
            if self._settings:
                what = f"{self._settings} settings"
                self.found.append(self._part.finding(Kind.SETTINGS, what))

    def _refuse(self, *_: object) -> None:
        raise Damaged("XMP with a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _MAX_DEPTH:
            raise Damaged("XMP too deep")
        self._flush()
        self._path.append(_short(name))
        for attribute, value in attributes.items():
            short = _short(attribute)
            if short not in ("x:xmptk", "rdf:parseType", "xml:lang"):
                self._property([*self._path, short], value)

    def _end(self, name: str) -> None:
        self._flush()
        self._path.pop()

    def _flush(self) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        if text:
            self._property(self._path, text)

    def _comment(self, text: str) -> None:
        self._report(Kind.COMMENT, "comment", "a comment in XML", text)

    def _property(self, path: list[str], value: str) -> None:
        value = value.strip()
        if not value:
            return
        names = [name for name in path if name.partition(":")[0] not in _TRANSPARENT]
        name = names[-1] if names else path[-1]
        if path[-1] == "rdf:resource" and not names:
            name = "rdf:resource"
        kind = _kind(name, names, value)
        if kind is Kind.SETTINGS:
            self._settings += 1
            return
        self._report(kind, "/".join(names) or name, name, value)
        if len(value) >= 64 and _BASE64.fullmatch(value):
            try:
                data = base64.b64decode(value)
            except binascii.Error:
                return
            self.found.append(
                Embedded(
                    self._part.unpacked(data, "/".join(names)),
                    is_picture=kind is Kind.PICTURE,
                )
            )

    def _report(self, kind: Kind, path: str, what: str, value: str) -> None:
        identifies = tells_time(value) if kind is Kind.DATE else None
        at = min(max(self._parser.CurrentByteIndex, 0), len(self._part))
        length = min(len(value), len(self._part) - at)
        place = self._part.part(at, length, path)
        self.found.append(place.finding(kind, what, value=value, identifies=identifies))


def _kind(name: str, names: list[str], value: str) -> Kind:
    """What a property is, by its name, and where that says nothing, by its parents'."""
    if name in _PRODUCTS:
        return kind_of_product(value)
    for ancestor in reversed(names or [name]):
        for pattern, kind in _KINDS:
            if pattern.search(ancestor):
                return kind
    is_setting = name in _SETTINGS or name.partition(":")[0] in _OF_SETTINGS
    return Kind.SETTINGS if is_setting and _NUMBERS.fullmatch(value) else Kind.COMMENT


def _short(name: str) -> str:
    """The name with a prefix, of what the parser gives as "namespace name"."""
    namespace, _, local = name.rpartition(" ")
    local = local[:_NAME_LENGTH]
    prefix = _PREFIXES.get(namespace)
    return f"{prefix}:{local}" if prefix else "other:" + _without_meaning(local)


_TELLING = re.compile(
    r"GPS|Latitude|Longitude|Location|Serial|UniqueID|Owner|Artist|Author|Creator|"
    r"Thumbnail|Date|Time|City|State|Country|Person"
)


def _without_meaning(local: str) -> str:
    """Of a name in an unknown namespace, the words that tell its kind."""
    return "".join(_TELLING.findall(local)) or "property"
