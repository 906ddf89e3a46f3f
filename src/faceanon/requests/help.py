"""How help looks: options under headings, the everyday ones first."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

HEADINGS: dict[str, tuple[str, ...]] = {
    "Finding faces": ("detector", "accuracy", "min_score", "boxes", "also_detect"),
    "People": ("only", "except_", "match", "save_people"),
    "Which pictures": (
        *("include", "exclude", "recursive", "follow_symlinks", "video"),
        *("files_from", "null", "retry_failed"),
    ),
    "Outputs": (
        *("format", "quality", "metadata", "thumbnail", "no_face", "overwrite"),
        *("rename", "rename_map", "seed", "seed_file", "redo_older", "state"),
    ),
    "Films": ("from_", "to", "sound", "video_codec", "crf", "preset", "damaged"),
    "Large jobs": (
        *("jobs", "shard", "engine", "ray_address"),
        *("timeout", "max_memory", "max_pixels"),
    ),
    "Messages": (
        *("dry_run", "report", "summary", "list_unsure", "strict", "allow_empty"),
        *("quiet", "verbose", "list", "help_all", "help"),
    ),
}
"""The options of methods under each heading; the others belong to the look."""

_PLACED = frozenset(name for names in HEADINGS.values() for name in names)

_LOOK = "The look"

_EVERYDAY = frozenset(
    [
        *("shape", "accuracy", "only", "except_", "include", "exclude"),
        *("format", "metadata", "overwrite", "jobs"),
        *("dry_run", "report", "list", "help_all", "help"),
    ]
)

# Longer lists of choices do not stand beside the option, but behind its help.
_LONGEST_CHOICE = 36

_ALL = "faceanon.help_all"


class Command(click.Command):
    """A command with examples and headings in its help.

    Args:
        examples: what follows `faceanon` and the command's name, a line each.
        is_method: whether its options are those of methods: `--help` then shows the
            everyday ones under headings, and `--help-all` all.
        **declared: as for `click.Command`.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        is_method: bool = False,
        **declared: Any,
    ) -> None:
        super().__init__(*args, **declared)
        self._examples = examples
        self._is_method = is_method
        if is_method:
            self.params.append(_help_all())

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options, each with its default and its limits."""
        options = [
            option
            for option in self.get_params(ctx)
            if isinstance(option, click.Option) and not option.hidden
        ]
        shows_all = not self._is_method or ctx.meta.get(_ALL, False)
        for heading, group in self._grouped(options):
            records = [
                _record(option)
                for option in group
                if shows_all or self._is_everyday(option)
            ]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
        if not shows_all:
            formatter.write_paragraph()
            formatter.write_text(
                f"{ctx.command_path} --help-all shows all {len(options)} options."
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self._examples:
            with formatter.section("Examples"):
                for example in self._examples:
                    formatter.write(f"{'':{formatter.current_indent}}")
                    formatter.write(f"{ctx.command_path} {example}\n")
        super().format_epilog(ctx, formatter)

    def _grouped(
        self, options: Sequence[click.Option]
    ) -> Iterator[tuple[str, list[click.Option]]]:
        if not self._is_method:
            yield "Options", list(options)
            return
        yield _LOOK, [option for option in options if _name(option) not in _PLACED]
        by_name = {_name(option): option for option in options}
        for heading, names in HEADINGS.items():
            yield heading, [by_name[name] for name in names if name in by_name]

    def _is_everyday(self, option: click.Option) -> bool:
        is_own = _name(option) not in _PLACED | {"grow", "feather"}
        return is_own or _name(option) in _EVERYDAY


def _name(option: click.Option) -> str:
    # Click has a name of its own for this one, and another in each version.
    return "help" if "--help" in option.opts else option.name or ""


def _help_all() -> click.Option:
    def show(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help())
            ctx.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        help="Show all options and exit.",
        callback=show,
    )


def _record(option: click.Option) -> tuple[str, str]:
    """An option as it is written, and what is said of it."""
    flags = [*option.opts]
    if option.secondary_opts and option.default is True:
        flags += option.secondary_opts
    flags.sort(key=lambda flag: flag.startswith("--"))
    metavar, choices = _metavar(option)
    said = (option.help or "").strip()
    if choices:
        said += f" One of {', '.join(choices)}."
    if facts := "; ".join(_facts(option)):
        said += f"  [{facts}]"
    return f"{', '.join(flags)} {metavar}".strip(), said


def _metavar(option: click.Option) -> tuple[str, Sequence[str]]:
    """What stands for the value; and the choices, where these would be too long."""
    if option.is_flag or option.count:
        return "", ()
    if option.metavar:
        return option.metavar, ()
    if isinstance(option.type, click.Choice):
        choices = [str(choice) for choice in option.type.choices]
        together = "|".join(choices)
        if len(together) <= _LONGEST_CHOICE:
            return together, ()
        return (option.name or "").upper(), choices
    if isinstance(option.type, click.types.FloatParamType | click.types.IntParamType):
        return "N", ()
    return (option.name or "").upper(), ()


def _facts(option: click.Option) -> Iterator[str]:
    """The default and the limits, in words."""
    default = option.default
    if isinstance(option.show_default, str):
        yield f"default: {option.show_default}"
    elif isinstance(default, float):
        yield f"default: {default:g}"
    elif isinstance(default, str | int) and not (option.is_flag or option.count):
        yield f"default: {default}"
    limits = option.type
    if isinstance(limits, click.IntRange | click.FloatRange) and not option.count:
        if limits.min is not None and limits.max is not None:
            yield f"{limits.min:g} to {limits.max:g}"
        elif limits.min is not None:
            yield f"{limits.min:g} or more"
