"""`--only`, `--except` and `faceanon people`: hiding by who somebody is."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from faceanon.commands.running import errors_explained, path_argument
from faceanon.errors import FaceanonError, OptionError
from faceanon.requests.options import (
    Values,
    chosen,
    click_options,
    environment_variable,
)
from faceanon.settings import Settings
from faceanon.storage.names import shown
from faceanon.storage.places import local_path

if TYPE_CHECKING:
    from faceanon.commands.progress import Console
    from faceanon.vision.recognition.enrolment import Reference
    from faceanon.vision.recognition.gallery import People

# So many pictures of a person are worth having.
_ADVISED = 3

# So many pairs of people who resemble each other are listed.
_MOST_PAIRS = 10


def people_options() -> list[click.Parameter]:
    """`--only`, `--except`, `--match` and `--save-people`."""
    return [
        click.Option(
            ["--only"],
            type=click.Path(),
            metavar="PEOPLE",
            show_default="everybody is hidden",
            help="Hide only these people, and every face that may be theirs. PEOPLE "
            "is a folder of pictures of one person, or of one folder a person, or a "
            "file of --save-people.",
            envvar=environment_variable("only"),
        ),
        click.Option(
            ["--except", "except_"],
            type=click.Path(),
            metavar="PEOPLE",
            show_default="nobody is shown",
            help="Hide everybody but these people, and every face that is not surely "
            "theirs.",
            envvar=environment_variable("except"),
        ),
        click.Option(
            ["--match"],
            type=_match,
            metavar="strict|normal|loose|NUMBER",
            default="normal",
            show_default=True,
            help="How sure --only and --except must be: 'strict' hides more, 'loose' "
            "less. Or a similarity between 0 and 1, from which on --except shows a "
            "face and --only hides it.",
            envvar=environment_variable("match"),
        ),
        _save_option(),
    ]


def people_command() -> click.Command:
    """`faceanon people PEOPLE`."""
    return click.Command(
        "people",
        params=[
            path_argument("people", "PEOPLE"),
            *click_options(Settings, only={"accuracy", "min_score", "max_pixels"}),
            _save_option(),
        ],
        help="""Check the reference pictures in PEOPLE, for --only and --except.

        Says which pictures can be used, which are refused and why, and how well the
        people can be told apart. Exit status 1 if a picture is refused.
        """,
        callback=lambda **values: _people(values),
        no_args_is_help=True,
    )


def with_selection(settings: Settings, values: Values, console: "Console") -> Settings:
    """The settings with the people that `--only` or `--except` names.

    Raises:
        FaceanonError: both are given, or the people cannot be used.
    """
    # Imported late: they bring much that --help does not need.
    from faceanon.vision.recognition import enrolment as references  # noqa: PLC0415
    from faceanon.vision.recognition import gallery  # noqa: PLC0415

    settings, looked_at = references.selecting(
        settings, values["only"], values["except_"], values["match"]
    )
    if settings.selection is None:
        if values["save_people"] is not None:
            raise FaceanonError("--save-people saves those of --only or --except")
        return settings
    for reference in looked_at:
        if reference.refusal:
            name = shown(reference.path)
            console.say(f"note: {name} is not used: {reference.refusal}")
    people = settings.selection.people
    console.summary.persons = tuple(person.name for person in people.persons)
    if values["save_people"] is not None and not values["dry_run"]:
        gallery.save(people, local_path(values["save_people"]))
    return settings


def _people(values: Values) -> None:
    from faceanon.vision.recognition import enrolment as references  # noqa: PLC0415
    from faceanon.vision.recognition import gallery  # noqa: PLC0415

    with errors_explained():
        path = local_path(values["people"])
        settings = Settings("people", None, **chosen(Settings, values))
        if path.is_dir():
            looked_at = tuple(references.look_through(path, settings))
            for line in _about_references(looked_at):
                click.echo(line)
            people = references.enrolled(looked_at)
        else:
            people, looked_at = references.load(path, settings)
        for line in _about_people(people):
            click.echo(line)
        if values["save_people"] is not None:
            gallery.save(people, local_path(values["save_people"]))
    sys.exit(1 if any(reference.refusal for reference in looked_at) else 0)


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
            likeness = Person.of(name, known).similarity(picture.embedding)
            doubt = "" if likeness >= LEVELS["normal"].same else ": the same person?"
            yield (
                f"  {shown(picture.path.name)}: {likeness:.2f} like the others{doubt}"
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


def _save_option() -> click.Option:
    return click.Option(
        ["--save-people"],
        type=click.Path(),
        metavar="FILE",
        show_default="kept nowhere",
        help="Keep what the faces of these people are recognised by in a new FILE "
        "that only you can read, to give as PEOPLE. It is biometric data.",
    )


def _match(value: str) -> str | float:
    """The value of `--match`."""
    from faceanon.vision.recognition.selection import parse_match  # noqa: PLC0415

    try:
        return parse_match(value)
    except OptionError as error:
        raise click.BadParameter(str(error)) from error
