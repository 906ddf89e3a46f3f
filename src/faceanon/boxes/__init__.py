"""Box files: which faces there are in which pictures, to be read and corrected.

JSON Lines, a picture a line, are the project's own. COCO is what labelling tools read
and write; MOT and CVAT are for films. All are described in `docs/boxes.md`.
"""

from faceanon.boxes.coco import FACE_CATEGORY, from_coco, to_coco
from faceanon.boxes.files import (
    FOR_ONE_FILM,
    BoxesFormat,
    form_of,
    lines_of,
    read,
    write,
)
from faceanon.boxes.jsonl import (
    SCHEMA,
    face_to_json,
    from_line,
    head_of,
    is_film,
    match_to_json,
    to_line,
    to_lines,
)
from faceanon.boxes.record import (
    Record,
    check_all_met,
    check_is_same,
    content_digest,
    update_by_file,
)
from faceanon.boxes.table import (
    FaceRows,
    FaceTable,
    Gap,
    TrackFacts,
    faces_of,
    gaps,
    joined,
)
from faceanon.boxes.times import FrameTimes

MEETS_NO_PICTURE = "the box file tells of it, but no picture in INPUT is called so"
"""Why an entry of a box file fails; it must not be dropped in silence."""

NOT_IN_BOX_FILE = (
    "this picture is not in the box file; run 'faceanon detect' on it, or give "
    "--also-detect"
)
"""Why a picture fails of which a box file tells nothing."""

__all__ = [
    "FACE_CATEGORY",
    "FOR_ONE_FILM",
    "MEETS_NO_PICTURE",
    "NOT_IN_BOX_FILE",
    "SCHEMA",
    "BoxesFormat",
    "FaceRows",
    "FaceTable",
    "FrameTimes",
    "Gap",
    "Record",
    "TrackFacts",
    "check_all_met",
    "check_is_same",
    "content_digest",
    "face_to_json",
    "faces_of",
    "form_of",
    "from_coco",
    "from_line",
    "gaps",
    "head_of",
    "is_film",
    "joined",
    "lines_of",
    "match_to_json",
    "read",
    "to_coco",
    "to_line",
    "to_lines",
    "update_by_file",
    "write",
]
