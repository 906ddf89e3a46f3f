"""What was found as one HTML page, the worst first; it needs nothing but itself."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from html import escape
from importlib.resources import files
from itertools import count

from faceanon.audit.verify.audit import Audited
from faceanon.audit.verify.findings import Finding
from faceanon.audit.verify.summary import Summary, looked_at
from faceanon.storage.names import shown

MOST_PICTURES = 500
"""So many outputs are shown, the worst ones."""

MOST_FINDINGS = 1000
"""So many findings are shown that are not about one of these, the worst ones."""

# Of an output with more findings, the others are folded up.
_MOST_LINES = 6

_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>faceanon verify</title>
<style>
{style}</style>
</head>
<body>
<header class="{tone}">
<p class="tool">faceanon verify</p>
<h1>{verdict}</h1>
<p>{summary}</p>
</header>
<main>
{sections}
<section>
<h2>What this cannot know</h2>
<ul class="plain">
{unknowable}
</ul>
</section>
</main>
<footer>This page names files and shows outputs, those that leak, too. Keep it to
yourself.</footer>
</body>
</html>
"""


@dataclass
class Page:
    """Collects what was found; of the outputs, only the worst."""

    _worst: list[tuple[tuple[int, ...], int, Audited]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _rest: list[Finding] = field(default_factory=list)

    def add(self, audited: Audited) -> None:
        """Take an output, if something was found in it."""
        if not audited.findings:
            return
        failures = sum(finding.fails for finding in audited.findings)
        _, kind, _ = min(finding.severity for finding in audited.findings)
        # The number keeps outputs from being compared with each other.
        entry = (bool(failures), -kind, failures), next(self._order), audited
        if len(self._worst) < MOST_PICTURES:
            heappush(self._worst, entry)
        else:
            heappushpop(self._worst, entry)

    def add_finding(self, finding: Finding) -> None:
        """Take a finding that is not about what is in an output."""
        self._rest.append(finding)

    def html(self, summary: Summary) -> str:
        """The page."""
        style = files("faceanon.audit.verify").joinpath("page.css").read_text("utf-8")
        return _TEMPLATE.format(
            style=style,
            tone="bad" if summary.failures else "good",
            verdict=escape(summary.verdict()),
            summary=escape(summary.line()),
            sections="\n".join(self._sections(summary)),
            unknowable="\n".join(
                f"<li>{escape(each)}</li>" for each in summary.unknowable
            ),
        )

    def _sections(self, summary: Summary) -> Iterator[str]:
        if self._rest:
            rest = sorted(self._rest, key=lambda finding: finding.severity)
            yield "<section>\n<h2>All outputs together</h2>\n<ul>"
            for finding in rest[:MOST_FINDINGS]:
                yield _line(finding, finding.place)
            if len(rest) > MOST_FINDINGS:
                yield f"<li>and {len(rest) - MOST_FINDINGS} more</li>"
            yield "</ul>\n</section>"
        if self._worst:
            yield "<section>\n<h2>Outputs, the worst first</h2>"
            if summary.found > len(self._worst):
                yield f"<p>{len(self._worst)} of {summary.found}.</p>"
            yield '<div class="cards">'
            yield from (_card(each) for _, _, each in sorted(self._worst)[::-1])
            yield "</div>\n</section>"


def _card(audited: Audited) -> str:
    """An output with its findings."""
    findings = sorted(audited.findings, key=lambda finding: finding.severity)
    name = shown(findings[0].output)
    worst, rest = findings[:_MOST_LINES], findings[_MOST_LINES:]
    folded = ""
    if rest:
        summary = f"<summary>{len(rest)} more</summary>"
        folded = f"<details>{summary}\n{_list(rest)}</details>\n"
    tone = "bad" if findings[0].fails else "note"
    return (
        f'<article class="{tone}">\n{_picture(audited, name)}'
        f"<h3>{escape(name)}</h3>\n{_frames(audited)}{_list(worst)}{folded}</article>"
    )


def _frames(audited: Audited) -> str:
    """How many frames of a film were looked at."""
    if not audited.frames:
        return ""
    return f"<p>{looked_at(audited.looked, audited.frames)}</p>\n"


def _list(findings: Iterable[Finding]) -> str:
    lines = "\n".join(_line(finding) for finding in findings)
    return f"<ul>\n{lines}\n</ul>\n"


def _picture(audited: Audited, name: str) -> str:
    """The thumbnail, with the faces that findings are about."""
    if not audited.thumbnail:
        return ""
    about = [finding for finding in audited.findings if finding.box is not None]
    frames = "".join(
        _frame(finding, audited.width, audited.height)
        for finding in about
        if finding.frame == about[0].frame
    )
    data = b64encode(audited.thumbnail).decode("ascii")
    return (
        f'<div class="picture"><div><img alt="{escape(name)}" '
        f'src="data:image/jpeg;base64,{data}">{frames}</div></div>\n'
    )


def _frame(finding: Finding, width: int, height: int) -> str:
    """The box of a face, in percent of the picture."""
    assert finding.box is not None, "it is about a face"
    box = finding.box.clipped(height, width)
    sides = {
        "left": box.left / width,
        "top": box.top / height,
        "width": box.width / width,
        "height": box.height / height,
    }
    style = ";".join(f"{name}:{share:.2%}" for name, share in sides.items())
    tone = "bad" if finding.fails else "note"
    return f'<span class="{tone}" style="{style}"></span>'


def _line(finding: Finding, place: str | None = None) -> str:
    tone = "bad" if finding.fails else "note"
    where = "" if place is None else f"<b>{escape(place)}</b> "
    # The place tells it.
    at = f"{finding.moment}: " if finding.moment and place is None else ""
    kind, what = escape(finding.kind.value), escape(shown(finding.what))
    return f'<li class="{tone}"><span class="kind">{kind}</span> {where}{at}{what}</li>'
