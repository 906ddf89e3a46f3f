"""What the tags of TIFF and EXIF mean for somebody who must not be told of.

The list of what is harmless decides; the others are there for their kinds and names. A
tag on no list is unknown, and so not harmless.
"""

from faceanon.audit.scan.findings import Kind

STRUCTURE = frozenset(
    # How the picture is stored (TIFF 6.0, TIFF/EP, DNG): numbers, of any length.
    [
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278),
        *(279, 280, 281, 282, 283, 284, 286, 287, 288, 289, 290, 291, 292, 293, 296),
        *(297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 332),
        *(334, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519),
        *(520, 521, 529, 530, 531, 532, 32997, 32998),
    ]
)

SETTINGS = frozenset(
    # Exposure, and what else EXIF 3.0 has of numbers that tell of the picture only.
    [
        *(18246, 18249, 33421, 33422, 33434, 33437, 34850, 34852, 34855, 34856, 34864),
        *(34865, 34866, 34867, 34868, 34869, 36864, 37121, 37122, 37377, 37378, 37379),
        *(37380, 37381, 37382, 37383, 37384, 37385, 37386, 37387, 37388, 37397, 37398),
        *(37399, 40960, 40961, 40962, 40963, 41483, 41484, 41486, 41487, 41488, 41493),
        *(41495, 41728, 41729, 41730, 41985, 41986, 41987, 41988, 41989, 41990, 41991),
        *(41992, 41993, 41994, 41996, 42034, 42080, 42081, 42240),
    ]
)

IDENTIFYING: dict[int, tuple[Kind, str]] = {
    269: (Kind.COMMENT, "DocumentName"),
    270: (Kind.COMMENT, "ImageDescription"),
    271: (Kind.CAMERA, "Make"),
    272: (Kind.CAMERA, "Model"),
    285: (Kind.COMMENT, "PageName"),
    305: (Kind.COMMENT, "Software"),
    306: (Kind.DATE, "ModifyDate"),
    315: (Kind.NAME, "Artist"),
    316: (Kind.NAME, "HostComputer"),
    333: (Kind.COMMENT, "InkNames"),
    337: (Kind.COMMENT, "TargetPrinter"),
    11: (Kind.COMMENT, "ProcessingSoftware"),
    32781: (Kind.SERIAL, "ImageID"),
    33432: (Kind.NAME, "Copyright"),
    33550: (Kind.PLACE, "ModelPixelScale"),
    33920: (Kind.PLACE, "IntergraphMatrix"),
    33922: (Kind.PLACE, "ModelTiepoint"),
    34264: (Kind.PLACE, "ModelTransformation"),
    34735: (Kind.PLACE, "GeoKeyDirectory"),
    34736: (Kind.PLACE, "GeoDoubleParams"),
    34737: (Kind.PLACE, "GeoAsciiParams"),
    36867: (Kind.DATE, "DateTimeOriginal"),
    36868: (Kind.DATE, "CreateDate"),
    36880: (Kind.DATE, "OffsetTime"),
    36881: (Kind.DATE, "OffsetTimeOriginal"),
    36882: (Kind.DATE, "OffsetTimeDigitized"),
    37393: (Kind.SERIAL, "ImageNumber"),
    37394: (Kind.COMMENT, "SecurityClassification"),
    37395: (Kind.COMMENT, "ImageHistory"),
    37396: (Kind.FACE_REGION, "SubjectArea"),
    37500: (Kind.MAKER_NOTE, "MakerNote"),
    37510: (Kind.COMMENT, "UserComment"),
    37520: (Kind.DATE, "SubSecTime"),
    37521: (Kind.DATE, "SubSecTimeOriginal"),
    37522: (Kind.DATE, "SubSecTimeDigitized"),
    40091: (Kind.COMMENT, "XPTitle"),
    40092: (Kind.COMMENT, "XPComment"),
    40093: (Kind.NAME, "XPAuthor"),
    40094: (Kind.COMMENT, "XPKeywords"),
    40095: (Kind.COMMENT, "XPSubject"),
    40964: (Kind.COMMENT, "RelatedSoundFile"),
    41492: (Kind.FACE_REGION, "SubjectLocation"),
    41995: (Kind.COMMENT, "DeviceSettingDescription"),
    42016: (Kind.SERIAL, "ImageUniqueID"),
    42032: (Kind.NAME, "CameraOwnerName"),
    42033: (Kind.SERIAL, "BodySerialNumber"),
    42035: (Kind.CAMERA, "LensMake"),
    42036: (Kind.CAMERA, "LensModel"),
    42037: (Kind.SERIAL, "LensSerialNumber"),
    42038: (Kind.COMMENT, "ImageTitle"),
    42039: (Kind.NAME, "Photographer"),
    42040: (Kind.NAME, "ImageEditor"),
    42041: (Kind.COMMENT, "CameraFirmware"),
    42042: (Kind.COMMENT, "RAWDevelopingSoftware"),
    42043: (Kind.COMMENT, "ImageEditingSoftware"),
    42044: (Kind.COMMENT, "MetadataEditingSoftware"),
    42112: (Kind.COMMENT, "GDALMetadata"),
    # Exif-like tags that Kodak keeps in an APP3 segment.
    50003: (Kind.NAME, "CameraOwner"),
    50004: (Kind.SERIAL, "SerialNumber"),
    50708: (Kind.CAMERA, "UniqueCameraModel"),
    50735: (Kind.SERIAL, "CameraSerialNumber"),
    50736: (Kind.SETTINGS, "LensInfo"),
    50781: (Kind.SERIAL, "RawDataUniqueID"),
    50827: (Kind.COMMENT, "OriginalRawFileName"),
    50828: (Kind.PICTURE, "OriginalRawFileData"),
    51081: (Kind.MAKER_NOTE, "DNGPrivateData"),
    65000: (Kind.NAME, "OwnerName"),
    65001: (Kind.SERIAL, "SerialNumber"),
    65002: (Kind.CAMERA, "Lens"),
    59932: (Kind.UNKNOWN, "Padding"),
}
"""What other tags hold, and their names."""

_GPS_NAMES = (
    *("VersionID", "LatitudeRef", "Latitude", "LongitudeRef", "Longitude"),
    *("AltitudeRef", "Altitude", "TimeStamp", "Satellites", "Status"),
    *("MeasureMode", "DOP", "SpeedRef", "Speed", "TrackRef"),
    *("Track", "ImgDirectionRef", "ImgDirection", "MapDatum", "DestLatitudeRef"),
    *(
        "DestLatitude",
        "DestLongitudeRef",
        "DestLongitude",
        "DestBearingRef",
        "DestBearing",
    ),
    *(
        "DestDistanceRef",
        "DestDistance",
        "ProcessingMethod",
        "AreaInformation",
        "DateStamp",
    ),
    *("Differential", "HPositioningError"),
)
_NO_PLACE = {"VersionID": Kind.SETTINGS, "TimeStamp": Kind.DATE, "DateStamp": Kind.DATE}
GPS: dict[int, tuple[Kind, str]] = {
    tag: (_NO_PLACE.get(name, Kind.PLACE), f"GPS{name}")
    for tag, name in enumerate(_GPS_NAMES)
}
"""The tags of the GPS directory; those that are not there are places, too."""

EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD, SUB_IFDS = 34665, 34853, 40965, 330
JPEG_TABLES = 347
XMP, IPTC, PHOTOSHOP, ICC_PROFILE, PHOTOSHOP_LAYERS = 700, 33723, 34377, 34675, 37724
INTEROPERABILITY = frozenset([1, 2, 4096, 4097, 4098])
"""The tags of the interoperability directory."""
