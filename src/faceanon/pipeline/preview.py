"""Drawing what a detector found."""

from collections.abc import Sequence

import cv2

from faceanon.model import Face, Image, white

# Blue, green, red, as shares of white: green for what is hidden, orange for the rest.
_SURE = (0.25, 0.85, 0.2)
_UNSURE = (0.0, 0.6, 1.0)


def drawn(image: Image, sure: Sequence[Face], unsure: Sequence[Face]) -> Image:
    """A copy with the boxes and scores of faces drawn on it.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        sure: drawn in green.
        unsure: drawn in orange, with a question mark.
    """
    result = image.copy()
    # As thick on a print of a large picture as on a small one.
    thickness = max(1, round(max(image.shape[:2]) / 600))
    for faces, share, mark in ((unsure, _UNSURE, "?"), (sure, _SURE, "")):
        color = [part * white(image) for part in share]
        for face in faces:
            _draw(result, face, f"{face.score:.2f}{mark}", color, thickness)
    return result


def _draw(
    image: Image, face: Face, text: str, color: list[float], thickness: int
) -> None:
    box = face.box
    cv2.rectangle(
        image, (box.left, box.top), (box.right - 1, box.bottom - 1), color, thickness
    )
    for x, y in face.points or ():
        cv2.circle(image, (round(x), round(y)), thickness, color, cv2.FILLED)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.4 * thickness
    (width, height), _ = cv2.getTextSize(text, font, scale, thickness)
    # Above the box, or inside of it where the picture ends.
    bottom = box.top - 2 * thickness
    if bottom < height:
        bottom = box.top + height + 3 * thickness
    left = min(max(box.left, 0), max(image.shape[1] - width, 0))
    dark = (0, 0, 0)
    cv2.putText(
        image, text, (left, bottom), font, scale, dark, 3 * thickness, cv2.LINE_AA
    )
    cv2.putText(image, text, (left, bottom), font, scale, color, thickness, cv2.LINE_AA)
