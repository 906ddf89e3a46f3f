"""`faceanon people`: are these reference pictures good enough?"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from faceanon import options
from faceanon.commands.running import Values, errors_explained
from faceanon.requests.click_options import click_options
from faceanon.requests.help import Command
from faceanon.requests.parameters import path_argument, save_option
from faceanon.settings import Settings
from faceanon.storage.names import shown
from faceanon.storage.streams import OUTPUTS, input_file, output_path

if TYPE_CHECKING:
    from faceanon.vision.recognition.enrolment import Reference
    from faceanon.vision.recognition.gallery import People

# So many pictures of a person are worth having.
_ADVISED = 3

# So many pairs of people who resemble each other are listed.
_MOST_PAIRS = 10


def people_command() -> click.Command:
    """`faceanon people PEOPLE`."""
    return Command(
        "people",
        examples=("friends/", "anna/ --save-people anna.people", "photos/people/"),
        params=[
            path_argument("people", "PEOPLE"),
            *click_options(Settings, only={"accuracy", "min_score", "max_pixels"}),
            save_option(),
        ],
        help="""Check the reference pictures in PEOPLE, for --only and --except.

        Says which pictures can be used, which are refused and why, and how well the
        people can be told apart. Exit status 1 if a picture is refused.
        """,
        callback=lambda **values: _people(values),
        no_args_is_help=True,
    )


def _people(values: Values) -> None:
    from faceanon.vision.recognition import enrolment, gallery  # noqa: PLC0415

    with errors_explained():
        save = values["save_people"]
        # Where the people go, what is said of them does not.
        tell = partial(click.echo, err=save in OUTPUTS)
        settings = options.build(Settings, values)
        how = settings.finding, settings.max_pixels
        with input_file(values["people"]) as path:
            if path.is_dir():
                references = tuple(enrolment.assess_folder(path, *how))
                for line in _about_references(references):
                    tell(line)
                people = enrolment.enrolled(references)
            else:
                people, references = enrolment.load(path, *how)
        for line in _about_people(people):
            tell(line)
        if save is not None:
            gallery.save(people, output_path(save))
    sys.exit(1 if any(reference.refusal for reference in references) else 0)


def _about_references(references: "Sequence[Reference]") -> Iterator[str]:
    """What became of the pictures of each person."""
    from faceanon.vision.recognition.gallery import Person  # noqa: PLC0415
    from faceanon.vision.recognition.selection import LEVELS  # noqa: PLC0415

    by_person: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        by_person[reference.person].append(reference)
    for name, pictures in by_person.items():
        good = [each for each in pictures if each.embedding is not None]
        few = f"; {_ADVISED} or more are advised" if len(good) < _ADVISED else ""
        yield f"{shown(name)}: {len(good)} good of {len(pictures)}{few}"
        for picture in pictures:
            if picture.embedding is None:
                yield f"  {shown(picture.path.name)}: refused: {picture.refusal}"
                continue
            rest = [each.embedding for each in good if each is not picture]
            known = [embedding for embedding in rest if embedding is not None]
            if not known:
                continue
            similarity = Person.of(name, known).similarity(picture.embedding)
            doubt = "" if similarity >= LEVELS["normal"].same else ": the same person?"
            yield (
                f"  {shown(picture.path.name)}: {similarity:.2f} like the others{doubt}"
            )


def _about_people(people: "People") -> Iterator[str]:
    """How well people can be told apart."""
    from faceanon.vision.recognition.selection import LEVELS  # noqa: PLC0415

    yield f"{len(people.persons)} in all"
    normal = LEVELS["normal"]
    pairs = sorted(people.pairs(), key=lambda pair: -pair[0])
    for similarity, first, second in pairs[:_MOST_PAIRS]:
        verdict = (
            "CANNOT be told apart"
            if similarity >= normal.same
            else "may be taken for each other"
            if similarity >= normal.other
            else "well apart"
        )
        yield (
            f"  {shown(first.name)} and {shown(second.name)}: {similarity:.2f}, "
            f"{verdict}"
        )
    if len(pairs) > _MOST_PAIRS:
        yield f"  {len(pairs) - _MOST_PAIRS} more pairs resemble each other less"
