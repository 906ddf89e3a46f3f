"""Everything a user can choose for a picture, declared once."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Literal, TypeAlias

from faceanon import options
from faceanon.anonymizers import origin
from faceanon.anonymizers.base import Anonymizer
from faceanon.errors import OptionError
from faceanon.media.write_options import WriteOptions
from faceanon.model import Cover, Shape
from faceanon.options import option
from faceanon.storage.keys import Key
from faceanon.storage.renaming import Hashing, Numbering, Renaming
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.recognition.identities import Identities
from faceanon.vision.recognition.selection import Selection

NoFace: TypeAlias = Literal["write", "skip", "fail"]
Rename: TypeAlias = Literal["hash", "sequence"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is done to each picture.

    Attributes:
        method: the method's name; empty when nothing is hidden.
        anonymizer: the method with its options; None when nothing is hidden.
        finding: how faces are looked for.
        writing: how outputs are written.
        selection: whom to hide; None for everybody.
        key: what was made of the seed, which itself is kept nowhere; None without one.
        identities: the people of the run, where the method has pseudonyms for them;
            None where each picture is by itself.
    """

    method: str = ""
    anonymizer: Anonymizer | None = None
    finding: DetectorOptions = options.group(DetectorOptions)
    grow: float | None = option(
        None,
        "Factor by which the box of a face grows before it is covered. Small faces "
        "grow more.",
        minimum=1,
        maximum=4,
        default_text="that of the method",
    )
    shape: Shape | None = option(
        None,
        "Shape of the cover. Each contains the whole grown box, so that no hair, ear "
        "or jaw shows at the corners: a rounded cover is larger, an ellipse more so.",
        choices=("box", "rounded", "ellipse"),
        default_text="that of the method",
    )
    feather: float | None = option(
        None,
        "Width of the soft edge around the cover, as a share of the cover's size.",
        minimum=0,
        maximum=0.5,
        default_text="that of the method",
    )
    no_face: NoFace = option(
        "write",
        "What to do with a picture without a face: write a copy, skip it, or fail.",
        choices=("write", "skip", "fail"),
    )
    also_detect: bool = option(
        False,
        "With --boxes: also look for faces, and hide those that are not in the box "
        "file.",
    )
    writing: WriteOptions = options.group(WriteOptions)
    rename: Rename | None = option(
        None,
        "Give outputs anonymous names, all in one folder: a hash of the input's name "
        "and of the seed (hash), or numbers (sequence).",
        choices=("hash", "sequence"),
        default_text="names are kept",
    )
    seed: int | None = option(
        None,
        "Make random choices repeatable. With --faithful and --rename it is a secret: "
        "20 digits or more, known to nobody; give it by --seed-file or FACEANON_SEED.",
        minimum=0,
        default_text="random",
    )
    max_pixels: int = option(
        200_000_000, "Refuse pictures with more pixels than this.", minimum=1
    )
    selection: Selection | None = None
    key: Key | None = None
    identities: Identities | None = None

    def __post_init__(self) -> None:
        """Check the values against what is declared, and each other."""
        options.check(self)
        if self.seed is not None:
            # What is pickled for workers must not hold it.
            object.__setattr__(self, "key", Key.of(self.seed))
            object.__setattr__(self, "seed", None)
        if self.rename == "hash" and self.key is None:
            raise OptionError(
                "names that tell nothing are made with a secret; give a long number "
                "with --seed-file, the same each time, and keep it to yourself"
            )
        detector = self.finding.detector
        if self.pseudonyms and not detection.has_points(detector):
            raise OptionError(
                f"people are told apart by their eyes, which --detector {detector} "
                "does not find; leave it out"
            )

    @property
    def renaming(self) -> Renaming | None:
        """What makes the names of outputs; None where names are kept."""
        if self.rename == "sequence":
            return Numbering()
        if self.rename is None or self.key is None:
            return None
        return Hashing(self.key)

    def cautions(self) -> tuple[str, ...]:
        """What the user must be told about the protection these settings give."""
        cautions = self.anonymizer.cautions() if self.anonymizer else ()
        if self.key is not None and self.key.is_short and self.seed_is_secret:
            cautions += (
                "so short a seed is found by trying, and with it what it hides; use "
                "one of 20 digits or more",
            )
        return cautions

    @property
    def seed_is_secret(self) -> bool:
        """Whether who knows the seed can undo something."""
        repeats = self.anonymizer is not None and self.anonymizer.weakened_by_repetition
        return repeats or self.rename == "hash" or self.pseudonyms > 0

    @property
    def pseudonym_seed(self) -> int | None:
        """What decides who gets which pseudonym, besides the pictures."""
        if self.key is None:
            return None
        return int.from_bytes(self.key.derived(b"pseudonyms"), "little")

    @property
    def pseudonyms(self) -> int:
        """How many pseudonyms the method has for people who are to be told apart."""
        return self.anonymizer.pseudonyms if self.anonymizer else 0

    @property
    def cover(self) -> Cover:
        """What is covered around each face."""
        usual = (self.anonymizer or Anonymizer).default_cover
        return Cover(
            usual.grow if self.grow is None else self.grow,
            usual.shape if self.shape is None else self.shape,
            usual.feather if self.feather is None else self.feather,
        )

    def described(self) -> dict[str, Any]:
        """The settings as they may be published, for reports: all but the seed."""
        described = options.values(self)
        described["seed"] = None if self.key is None else "given"
        if self.selection is not None:
            described["selection"] = self.selection.described()
        return {
            "method": self.method,
            "options": options.values(self.anonymizer) if self.anonymizer else {},
            **described,
            **asdict(self.cover),
        }

    def fingerprint(self) -> bytes:
        """16 bytes that differ when the outputs would; they do not tell the seed."""
        described = self.described()
        del described["max_pixels"]
        if self.anonymizer is not None:
            described["content"] = self.anonymizer.content().hex()
        if self.selection is not None:
            described["people"] = self.selection.fingerprint()
        if self.key is not None:
            described["seed"] = self.key.derived(b"settings").hex()
        text = json.dumps(described, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    def command(self) -> str:
        """The method and what is not as usual, as on the command line.

        It names neither a seed nor people.
        """
        chosen = [self.method or "preview"]
        if self.anonymizer is not None:
            chosen += _not_as_usual(self.anonymizer)
        chosen += _not_as_usual(self)
        if self.selection is not None:
            chosen.append(f"--{self.selection.mode} PEOPLE")
        return " ".join(chosen)

    def made_with(self) -> str:
        """The versions of what makes the outputs: of faceanon, and of a plug-in."""
        return ", ".join([f"faceanon {version('faceanon')}", *origin(self.method)])


def _not_as_usual(owner: Any) -> list[str]:
    """The options of a dataclass that have other values than their defaults."""
    chosen = options.values(owner)
    chosen.pop("seed", None)
    return [
        option.spelled(_without_folders(chosen[option.name]))
        for option in options.declared(type(owner))
        if chosen.get(option.name, option.default) != option.default
    ]


def _without_folders(value: Any) -> Any:
    """The value; of a path, the name, as folders may be called after people."""
    is_path = isinstance(value, str) and os.sep in value
    return os.path.basename(value) if is_path else value  # noqa: PTH119  a string
