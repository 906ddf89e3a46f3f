"""Everything a user can choose, declared once."""

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from faceanon import options
from faceanon.anonymizers.base import Anonymizer
from faceanon.batch.planning.plan import Choice
from faceanon.batch.planning.shards import parse_shard
from faceanon.errors import OptionError
from faceanon.media.metadata import LEVELS, Level
from faceanon.media.picture import SUFFIXES, Format
from faceanon.model import Cover, Shape
from faceanon.options import option
from faceanon.storage.renaming import Hashing, Numbering, Renaming
from faceanon.vision import detection as detectors
from faceanon.vision.detection.levels import ACCURACIES, Accuracy
from faceanon.vision.recognition.identities import Crowd
from faceanon.vision.recognition.selection import Selection

NoFace: TypeAlias = Literal["write", "skip", "fail"]
Rename: TypeAlias = Literal["hash", "sequence"]
EngineName: TypeAlias = Literal["local", "ray"]

CENSUS = "census"
"""The method of a run's first pass, which asks who is in its pictures."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is done to each picture.

    Attributes:
        method: the method's name; "detect", "preview" and `CENSUS` hide nothing.
        anonymizer: the method with its options; None when nothing is hidden.
        selection: whom to hide; None for everybody.
        crowd: the people of the run, where the method has disguises for them; None
            where each picture is by itself.
    """

    method: str
    anonymizer: Anonymizer | None
    detector: str = option(
        "centerface", "What finds the faces.", choices=detectors.names()
    )
    accuracy: Accuracy = option(
        "balanced",
        "How much work is spent on finding faces.",
        choices=ACCURACIES,
    )
    min_score: float | None = option(
        None,
        "Hide what the detector is at least this sure of. Lower hides more faces, and "
        "more that is none.",
        minimum=0.01,
        maximum=1,
        default_text="the detector's own",
    )
    grow: float | None = option(
        None,
        "Factor by which the box of a face is grown before it is covered; that of a "
        "small face is grown more.",
        minimum=1,
        maximum=4,
        default_text="that of the method",
    )
    shape: Shape = option(
        "box", "What is covered of the grown box.", choices=("box", "ellipse")
    )
    no_face: NoFace = option(
        "write",
        "What to do with a picture in which no face was found: write it, skip it "
        "(write nothing), or fail.",
        choices=("write", "skip", "fail"),
    )
    also_detect: bool = option(
        False,
        "With --boxes: hide the faces that are found besides those of the box file, "
        "and in pictures of which it does not speak.",
    )
    format: Format | None = option(
        None,
        "Format of the outputs.",
        choices=tuple(SUFFIXES),
        default_text="that of each input",
    )
    quality: int | None = option(
        None,
        "Quality of outputs in lossy formats. Without it, JPEGs keep all but the "
        "blocks of their faces.",
        minimum=1,
        maximum=100,
        default_text="that of each input",
    )
    metadata: Level = option(
        "safe",
        "What outputs keep of the metadata: nothing but how colours look (none); "
        "resolution, day and exposure, too (safe); time, camera and lens, too.",
        choices=LEVELS,
    )
    thumbnail: bool = option(
        False, "Put a thumbnail of the anonymized picture into JPEG outputs."
    )
    rename: Rename | None = option(
        None,
        "Give outputs names that tell nothing, all in one folder: made from the names "
        "of the inputs and --seed, which it needs (hash), or numbers (sequence).",
        choices=("hash", "sequence"),
        default_text="names are kept",
    )
    seed: int | None = option(
        None,
        "Make random choices repeatable. Who knows the seed can take the noise away: "
        "keep it secret.",
        minimum=0,
        default_text="random",
    )
    max_pixels: int = option(
        200_000_000, "Refuse pictures of more pixels than this.", minimum=1
    )
    selection: Selection | None = None
    crowd: Crowd | None = None

    def __post_init__(self) -> None:
        """Check the values against what is declared, and each other."""
        options.check(self)
        if self.rename == "hash" and self.seed is None:
            raise OptionError(
                "names that tell nothing are made with a secret; give a long number "
                "with --seed, the same each time, and keep it to yourself"
            )
        if self.disguises and self.detector == "haar":
            raise OptionError(
                "people are told apart by their eyes, which --detector haar does not "
                "find; leave it out"
            )

    @property
    def renaming(self) -> Renaming | None:
        """What makes the names of outputs; None where names are kept."""
        if self.rename == "sequence":
            return Numbering(self.seed)
        if self.rename is None or self.seed is None:
            return None
        return Hashing(self.seed)

    def cautions(self) -> tuple[str, ...]:
        """What the user must be told about the protection these settings give."""
        cautions = self.anonymizer.cautions() if self.anonymizer else ()
        if self.rename == "sequence" and self.seed is None:
            cautions += (
                "who guesses the name of an input can find its number by .faceanon.db "
                "in OUTPUT; remove that file before you hand OUTPUT on, or use --seed",
            )
        return cautions

    @property
    def only_looks(self) -> bool:
        """Whether nothing is written."""
        return self.method in ("detect", CENSUS)

    @property
    def disguises(self) -> int:
        """How many disguises the method has for people who are to be told apart."""
        return self.anonymizer.disguises if self.anonymizer else 0

    @property
    def cover(self) -> Cover:
        """What is covered around each face."""
        usual = (self.anonymizer or Anonymizer).default_grow
        return Cover(usual if self.grow is None else self.grow, self.shape)

    def described(self) -> dict[str, Any]:
        """The settings as they may be published, for reports: all but the seed."""
        described = options.values(self)
        described["seed"] = None if self.seed is None else "given"
        if self.selection is not None:
            described["selection"] = self.selection.described()
        return {
            "method": self.method,
            "options": options.values(self.anonymizer) if self.anonymizer else {},
            **described,
            "grow": self.cover.grow,
        }

    def fingerprint(self) -> bytes:
        """16 bytes that differ when the outputs would; they do not tell the seed."""
        described = self.described()
        del described["max_pixels"]
        if self.selection is not None:
            described["people"] = self.selection.fingerprint()
        if self.seed is not None:
            # Slow to compute, so that a file that holds the fingerprint is no quick
            # way to try seeds.
            seed = str(self.seed).encode()
            described["seed"] = hashlib.scrypt(
                seed, salt=b"faceanon", n=2**14, r=8, p=1
            ).hex()
        text = json.dumps(described, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run over many pictures goes; the outputs do not depend on it."""

    jobs: int | None = option(
        None,
        "How many pictures are worked on at the same time.",
        minimum=1,
        default_text="all processors that this process may use",
        flags=("-j",),
    )
    recursive: bool = option(True, "Go down into the folders of INPUT.")
    follow_symlinks: bool = option(
        False,
        "Take links to pictures and folders, too, if they lead to places in INPUT.",
    )
    include: tuple[str, ...] = option(
        (),
        "Take only pictures whose name, or path below INPUT, matches this pattern, for "
        "example '*.jpg' or 'day1/*'. Can be given several times.",
        metavar="PATTERN",
        default_text="all",
    )
    exclude: tuple[str, ...] = option(
        (),
        "Leave out pictures and folders that match this pattern. Can be given several "
        "times.",
        metavar="PATTERN",
        default_text="none",
    )
    overwrite: bool = option(
        False, "Replace what is in OUTPUT; without it nothing is ever replaced."
    )
    max_memory: int = option(
        4096,
        "Megabytes that a worker may use; a picture that needs more fails. Needs two "
        "jobs or more, or dataset files, and Linux.",
        minimum=512,
    )
    timeout: float = option(
        300.0,
        "Seconds after which a picture is given up. Needs two jobs or more, or dataset "
        "files.",
        minimum=1,
    )
    shard: str | None = option(
        None,
        "Do one of N parts of INPUT, for machines that share the work: 0/4 is the "
        "first of four.",
        parse=parse_shard,
        metavar="I/N",
        default_text="all of it",
    )
    engine: EngineName = option(
        "local",
        "What does the work: processes of this machine, or a Ray cluster (needs the "
        "extra 'ray').",
        choices=("local", "ray"),
    )
    ray_address: str | None = option(
        None,
        "With --engine ray: the address of the cluster.",
        metavar="ADDRESS",
        default_text="RAY_ADDRESS, else a cluster started on this machine",
    )

    def __post_init__(self) -> None:
        """Check the values against what is declared."""
        options.check(self)

    @property
    def choice(self) -> Choice:
        """What to take of a folder."""
        shard = None if self.shard is None else parse_shard(self.shard)
        return Choice(
            self.recursive,
            self.follow_symlinks,
            self.include,
            self.exclude,
            shard=shard,
        )

    @property
    def workers(self) -> int:
        """How many pictures are worked on at the same time."""
        return self.jobs or processors()


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
