"""From pictures of people, one face in each, to the people they show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceanon.errors import PeopleError, PictureError
from faceanon.media.picture import eight_bit
from faceanon.media.reading import decode
from faceanon.model import Face, Image
from faceanon.storage.names import shown
from faceanon.storage.suffixes import PICTURE_SUFFIXES
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.detection.find import find_faces
from faceanon.vision.recognition import gallery
from faceanon.vision.recognition.embedding import Embedding
from faceanon.vision.recognition.gallery import People, Person
from faceanon.vision.recognition.quality import ENROLMENT, assess

# A second face that is at least this wide, in widths of the clear one, may be the one
# that is meant; smaller ones are those of passers-by.
_LEAST_SECOND = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A picture of a person.

    Attributes:
        person: the person's name.
        path: where the picture is.
        embedding: of the face in it; None when the picture is refused.
        refusal: why it is; empty otherwise.
    """

    person: str
    path: Path
    embedding: Embedding | None
    refusal: str = ""


def load(
    path: Path, options: DetectorOptions, max_pixels: int
) -> tuple[People, tuple[Reference, ...]]:
    """The people of a folder of reference pictures, or of a saved file.

    Args:
        path: a folder that holds pictures of one person, or one folder a person; or a
            file of `gallery.save`.
        options: how faces are looked for.
        max_pixels: refuse larger pictures.

    Returns:
        The people, and the pictures that were looked at, refused ones too; none for a
        saved file.

    Raises:
        PeopleError: there is no such folder, or no good picture of somebody.
    """
    if not path.exists():
        raise PeopleError(f"{shown(path)} does not exist")
    if not path.is_dir():
        return gallery.read(path), ()
    references = tuple(assess_folder(path, options, max_pixels))
    return enrolled(references), references


def assess_folder(
    folder: Path, options: DetectorOptions, max_pixels: int
) -> Iterator[Reference]:
    """Assess every picture of a folder of people.

    Raises:
        PeopleError: it holds no pictures, or pictures beside folders.
    """
    folders = [entry for entry in _visible(folder) if entry.is_dir()]
    pictures = _pictures(folder)
    if folders and pictures:
        raise PeopleError(
            f"{shown(folder)} holds both pictures and folders; put the pictures of "
            "each person into one folder, whose name is the person's"
        )
    for person in folders or [folder]:
        # Of "." and the like, the name is that of the folder it stands for.
        name = person.name if folders else person.resolve().name or "person"
        found = _pictures(person)
        if not found:
            raise PeopleError(
                f"{shown(person)} holds no picture; add some, or remove it"
            )
        for path in found:
            yield assess_reference(path, name, options, max_pixels)


def enrolled(references: Sequence[Reference]) -> People:
    """The people whom reference pictures show.

    Raises:
        PeopleError: there is no good picture of somebody; the text says why.
    """
    embeddings: dict[str, list[Embedding]] = {}
    for reference in references:
        known = embeddings.setdefault(reference.person, [])
        if reference.embedding is not None:
            known.append(reference.embedding)
    for name, known in embeddings.items():
        if not known:
            reasons = "; ".join(
                f"{shown(reference.path)}: {reference.refusal}"
                for reference in references
                if reference.person == name
            )
            raise PeopleError(f"there is no good picture of {shown(name)} ({reasons})")
    return People(tuple(Person.of(name, known) for name, known in embeddings.items()))


def _visible(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise PeopleError(
            f"{shown(folder)} cannot be read: {error.strerror}"
        ) from error
    return [entry for entry in entries if not entry.name.startswith(".")]


def _pictures(folder: Path) -> list[Path]:
    return [
        entry
        for entry in _visible(folder)
        if entry.suffix.lower() in PICTURE_SUFFIXES and entry.is_file()
    ]


def assess_reference(
    path: Path, person: str, options: DetectorOptions, max_pixels: int
) -> Reference:
    """Look for the one clear face in a picture of a person."""
    try:
        picture = decode(path.read_bytes(), max_pixels)
    except (OSError, PictureError) as error:
        return Reference(person, path, None, getattr(error, "strerror", str(error)))
    (found,) = find_faces([picture], options)
    embedding, refusal = _only_clear_face(eight_bit(picture.color), found.sure)
    return Reference(person, path, embedding, refusal)


def _only_clear_face(
    image: Image, faces: Sequence[Face]
) -> tuple[Embedding | None, str]:
    """The embedding of the one clear face, or why there is none."""
    if not faces:
        return None, "no face was found in it"
    largest = max(faces, key=lambda face: face.box.width)
    others = [
        face
        for face in faces
        if face is not largest
        and face.box.width >= _LEAST_SECOND * largest.box.width
        and not face.lies_in(largest)
    ]
    if others:
        return None, f"{len(others) + 1} faces are in it; crop it to one"
    seen = assess(image, largest, ENROLMENT)
    if seen.problem:
        return None, f"its face is {seen.problem}"
    return seen.embedding, ""
