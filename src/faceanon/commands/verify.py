"""`faceanon verify`: can what was to be hidden still be told from the outputs?"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING

import click
from tqdm import tqdm

from faceanon import anonymizers, options
from faceanon.batch.run_options import RunOptions
from faceanon.commands.running import Values, errors_explained
from faceanon.errors import FaceanonError
from faceanon.media.video.options import VideoOptions
from faceanon.requests.click_options import click_options, environment_variable
from faceanon.requests.help import Command
from faceanon.requests.parameters import path_argument
from faceanon.settings import Settings
from faceanon.storage import streams
from faceanon.storage.dataset_names import is_dataset
from faceanon.storage.places import local_path
from faceanon.storage.private import new_private_file

if TYPE_CHECKING:
    from faceanon.audit.verify.findings import Finding
    from faceanon.audit.verify.pairing import Pairing
    from faceanon.audit.verify.run_report import Told

_RUNNING = {"jobs", "recursive", "follow_symlinks", "include", "exclude", "video"}
_RUNNING |= {"max_memory", "timeout"}


def verify_command() -> click.Command:
    """`faceanon verify IN OUT`."""
    return Command(
        "verify",
        examples=(
            "photos/ safe/",
            "photos/ safe/ --report report.jsonl",
            "photos/ safe/ --page audit.html",
        ),
        params=[
            path_argument("source", "IN"),
            path_argument("target", "OUT"),
            click.Option(
                ["--method"],
                type=click.Choice(anonymizers.names()),
                show_default="as --report says, else nobody may be recognised",
                help="The method of the run: what it promises to hide is looked for.",
                envvar=environment_variable("method"),
            ),
            click.Option(
                ["--report"],
                type=click.Path(),
                metavar="FILE",
                show_default="none",
                help="The report of the run: tells the method, which output belongs to "
                "which input, and who was not to be hidden.",
                envvar=environment_variable("report"),
            ),
            click.Option(
                ["-o", "--output"],
                type=click.Path(),
                metavar="FILE",
                show_default="standard output, if it is no terminal",
                help="Write one JSON line a finding to FILE.",
            ),
            click.Option(
                ["--page"],
                type=click.Path(),
                metavar="FILE",
                show_default="none",
                help="Write an HTML page with small pictures of the outputs to FILE.",
            ),
            *click_options(Settings, only={"max_pixels"}),
            *click_options(VideoOptions, only={"from_", "to"}),
            *click_options(RunOptions, only=_RUNNING),
            click.Option(
                ["-q", "--quiet"],
                is_flag=True,
                help="Say nothing but what has to be mended.",
            ),
        ],
        help="""Check finished pictures: can anyone still be recognised?

        IN is what was given to the run, OUT what it made, by faceanon or another tool.
        Faces are looked for again and compared with those in IN, and the files are
        searched for what else can tell who or where, such as thumbnails.

        Exit status: 0 nothing found that should be hidden, 1 something was, or could
        not be audited, 2 wrong usage.
        """,
        callback=lambda **values: _verify(values),
        no_args_is_help=True,
    )


def _verify(values: Values) -> None:
    # Imported late: they bring much that --help does not need.
    from faceanon.audit.verify.page import Page  # noqa: PLC0415
    from faceanon.audit.verify.run import Verification  # noqa: PLC0415
    from faceanon.audit.verify.summary import Summary  # noqa: PLC0415
    from faceanon.batch.workers import Limits  # noqa: PLC0415

    summary, page = Summary(), Page()
    with errors_explained():
        settings = options.build(Settings, values)
        run_options = options.build(RunOptions, values)
        pairing = _pairing(values, run_options)
        limits = Limits(run_options.timeout, run_options.max_memory)
        page_name, lines_name = _outputs(values)
        verification = Verification(
            pairing, run_options.workers, limits, settings.max_pixels
        )
        with (
            _new_file(page_name) as page_file,
            _new_file(lines_name) as lines,
            _Progress(pairing.files, values["quiet"]) as progress,
            closing(verification.outputs()) as outputs,
        ):

            def tell(findings: "Iterable[Finding]") -> None:
                for finding in findings:
                    summary.add(finding)
                    progress.show(finding)
                    if lines is not None:
                        lines.write(json.dumps(finding.as_json()) + "\n")

            for audited in outputs:
                summary.add_output(audited)
                if page_file is not None:
                    page.add(audited)
                tell(audited.findings)
                progress.advance()
            for finding in verification.whole_run_findings():
                page.add_finding(finding)
                tell([finding])
            if page_file is not None:
                page_file.write(page.html(summary))
    if not values["quiet"]:
        click.echo(summary.line(), err=True)
        for sentence in summary.unknowable:
            click.echo(f"not known: {sentence}", err=True)
    sys.exit(summary.exit_status)


def _outputs(values: Values) -> tuple[str | None, str | None]:
    """Where the page, and the lines, go to."""
    page, lines = values["page"], values["output"]
    is_taken = page in streams.OUTPUTS
    if is_taken and lines in streams.OUTPUTS:
        raise FaceanonError(
            "standard output cannot be both --page and --output; name a file"
        )
    if lines is None and not is_taken and not sys.stdout.isatty():
        lines = "-"
    return page, lines


def _pairing(values: Values, run_options: RunOptions) -> "Pairing":
    from faceanon.audit.verify.pairing import Pairing  # noqa: PLC0415

    method = values["method"]
    if is_dataset(values["source"]):
        raise FaceanonError(
            "pictures are not audited in dataset files; unpack this one and its output"
        )
    return Pairing(
        local_path(values["source"]),
        local_path(values["target"]),
        replace(run_options.input_filter, datasets=False),
        None if method is None else anonymizers.get(method).guarantee,
        _told(values["report"]),
        part=options.build(VideoOptions, values),
    )


def _told(report: str | None) -> "Mapping[str, Told]":
    """What the report of the run tells."""
    from faceanon.audit.verify import run_report  # noqa: PLC0415

    if report is None:
        return {}
    with streams.input_file(report) as path:
        return run_report.read(path)


@contextmanager
def _new_file(path: str | None) -> Iterator[IO[str] | None]:
    """A new file that only its owner can read, or standard output; None for none."""
    if path is None:
        yield None
    else:
        with new_private_file(streams.output_path(path)) as file:
            yield file


class _Progress:
    """Findings, and a bar below them.

    Args:
        total: how many outputs there are, about.
        quiet: say nothing but what has to be mended.
    """

    def __init__(self, total: int, quiet: bool) -> None:
        self._quiet = quiet
        self._bar = tqdm(
            total=total,
            unit=" outputs",
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
            delay=0.5,
            disable=quiet or not sys.stderr.isatty(),
        )

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def advance(self) -> None:
        self._bar.update()

    def show(self, finding: "Finding") -> None:
        """Say what was found."""
        if finding.fails or not self._quiet:
            with self._bar.external_write_mode(file=sys.stderr):
                sys.stderr.write(f"{finding.line()}\n")
