"""What the page asks for, and who may ask.

Other pages in the same browser, other programs and other users of the computer can
reach a port on 127.0.0.1. Each request must therefore have the token in its path, go to
a name of this computer (a page of another name could have been rebound to 127.0.0.1),
and not come from another page.
"""

import hmac
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from typing import Any

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from faceanon import boxes
from faceanon.boxes import FaceTable, Record, face_to_json, head_of, is_film
from faceanon.errors import BoxesError, PictureError
from faceanon.review import film
from faceanon.review.box_file import BoxFile, OutdatedError
from faceanon.review.order import by_doubt
from faceanon.review.pictures import Pictures, Size
from faceanon.storage.names import shown

_STATIC = {
    "icon.svg": "image/svg+xml",
    "review.css": "text/css",
    "main.js": "text/javascript",
    "editor.js": "text/javascript",
    "list.js": "text/javascript",
    "player.js": "text/javascript",
    "store.js": "text/javascript",
    "tracks.js": "text/javascript",
    "zoom.js": "text/javascript",
}

# So many changes of a film can be undone.
_UNDONE = 50

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The address of the page is a secret.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_application(
    token: str, box_file: BoxFile, pictures: Pictures, chosen: Sequence[int]
) -> Flask:
    """The application that serves the page.

    Args:
        token: the first part of the path of every request.
        box_file: what is reviewed.
        pictures: the pictures that it speaks of.
        chosen: the indices of those that are reviewed.
    """
    application = Flask(__name__, static_folder=None)
    application.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    application.config["MAX_CONTENT_LENGTH"] = 2**20
    _guard(application, token)
    _explain_errors(application)
    _serve_page(application, token)
    _serve_records(application, token, _Review(box_file, pictures, chosen))
    return application


def _guard(application: Flask, token: str) -> None:
    expected = token.encode()

    def check() -> None:
        first = request.path.removeprefix("/").partition("/")[0]
        if not hmac.compare_digest(first.encode(), expected):
            abort(403, "open the address that the terminal shows")
        # A request of this page names its origin; a visit by the user names none.
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        is_foreign = origin not in (None, f"http://{request.host}")
        # The page itself may be come to by a link: that of the file in which the
        # browser is told the address.
        if request.endpoint == "page":
            site = "none"
        if is_foreign or site not in ("none", "same-origin"):
            abort(403, "not from another page")

    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    application.before_request(check)
    application.after_request(protect)


def _explain_errors(application: Flask) -> None:
    def explain(error: Exception) -> tuple[dict[str, str], int]:
        if isinstance(error, HTTPException):
            return {"error": error.description or error.name}, error.code or 500
        if isinstance(error, RecursionError):
            return {"error": "it is nested too deep"}, 400
        return {"error": str(error)}, 400 if isinstance(error, BoxesError) else 409

    expected = HTTPException, BoxesError, OutdatedError, PictureError, RecursionError
    for kind in expected:
        application.register_error_handler(kind, explain)


def _serve_page(application: Flask, token: str) -> None:
    folder = files("faceanon.review") / "static"

    @application.get(f"/{token}/")
    def page() -> Response:
        return Response((folder / "review.html").read_bytes(), mimetype="text/html")

    @application.get(f"/{token}/static/<name>")
    def static(name: str) -> Response:
        if name not in _STATIC:
            abort(404)
        return Response((folder / name).read_bytes(), mimetype=_STATIC[name])


def _serve_records(application: Flask, token: str, review: "_Review") -> None:
    @application.get(f"/{token}/pictures")
    def overview() -> dict[str, Any]:
        return review.overview()

    @application.get(f"/{token}/pictures/<int:index>")
    def picture(index: int) -> dict[str, Any]:
        return review.picture(index)

    @application.put(f"/{token}/pictures/<int:index>")
    def change(index: int) -> dict[str, Any]:
        return review.change(index, request.get_json())

    @application.post(f"/{token}/pictures/<int:index>/changes")
    def change_film(index: int) -> dict[str, Any]:
        return review.change_film(index, request.get_json())

    @application.get(f"/{token}/pictures/<int:index>/frames/<int:frame>/faces")
    def faces(index: int, frame: int) -> dict[str, Any]:
        return review.faces(index, frame)

    @application.get(f"/{token}/pictures/<int:index>/thumbnail")
    def thumbnail(index: int) -> Response:
        return Response(review.jpeg(index, "thumbnail", 0), mimetype="image/jpeg")

    @application.get(f"/{token}/pictures/<int:index>/frames/<int:frame>")
    def view(index: int, frame: int) -> Response:
        return Response(review.jpeg(index, "view", frame), mimetype="image/jpeg")

    @application.get(f"/{token}/saving")
    def saving() -> dict[str, Any]:
        return review.saving()


class _Review:
    """The answers to what the page asks; plain data for JSON."""

    def __init__(
        self, box_file: BoxFile, pictures: Pictures, chosen: Sequence[int]
    ) -> None:
        self._box_file = box_file
        self._pictures = pictures
        self._chosen = frozenset(chosen)
        # What the changes of each film can be undone with, the latest last.
        self._former: dict[int, deque[film.Former]] = defaultdict(
            lambda: deque(maxlen=_UNDONE)
        )
        # Once, at the start: a list that changes its order while it is worked through
        # would skip some.
        self._order = [i for i in by_doubt(box_file.records) if i in self._chosen]

    def overview(self) -> dict[str, Any]:
        records = self._box_file.records
        return {
            "file": shown(self._box_file.path.name),
            "note": self._box_file.note,
            "pictures": [
                {
                    "index": index,
                    "name": shown(records[index].picture),
                    **_counts(records[index]),
                    "reviewed": records[index].reviewed,
                }
                for index in self._order
            ],
        }

    def picture(self, index: int) -> dict[str, Any]:
        self._check(index)
        # Before the record: a change in between must make the revision too low.
        revision = self._box_file.revision(index)
        record = self._box_file.records[index]
        # Boxes are only shown, and changed, over the picture that they belong to.
        frames = self._frames(record)
        told = {
            "revision": revision,
            "width": record.width,
            "height": record.height,
            "frames": frames,
            "reviewed": record.reviewed,
        }
        if is_film(record):
            cells = min(film.CELLS, frames)
            tracks = film.summaries(record, frames)
            return {**told, "cells": cells, "tracks": tracks}
        faces = [
            *(face_to_json(face, hide=True) for face in record.hidden),
            *(face_to_json(face, hide=False) for face in record.shown),
        ]
        return {**told, "faces": faces}

    def change(self, index: int, new: Any) -> dict[str, Any]:
        self._check(index)
        old = self._box_file.records[index]
        revision = _revision_of(new)
        if is_film(old):
            raise BoxesError("a film is changed by what is to be done with it")
        self._frames(old)
        saving = self._box_file.replace(index, _changed(old, new), revision)
        return {"revision": revision + 1, **asdict(saving)}

    def faces(self, index: int, frame: int) -> dict[str, Any]:
        """The faces of a frame of a film."""
        revision = self._box_file.revision(index)
        record = self._film(index)
        return {"revision": revision, "faces": film.faces_of_frame(record, frame)}

    def change_film(self, index: int, new: Any) -> dict[str, Any]:
        """Do something with a film, or undo what was done last."""
        old = self._film(index)
        revision, what = _revision_of(new), new.get("change")
        frames, undone = self._frames(old), self._former[index]
        undoes = what == {"do": "undo"}
        if undoes and not undone:
            raise BoxesError("there is nothing to undo")
        if undoes:
            former = undone[-1]
            part, record = former.part, former.put_back(old)
        else:
            record, part = film.changed(old, what, frames)
        before = film.Former.of(old, part)
        saving = self._box_file.replace(index, record, revision)
        if undoes:
            undone.pop()
        else:
            undone.append(before)
        concerned = before.tracks | film.Former.of(record, part).tracks
        tracks = film.summaries(record, frames, concerned)
        return {
            "revision": revision + 1,
            **asdict(saving),
            **_counts(record),
            "reviewed": record.reviewed,
            "tracks": tracks,
            "gone": sorted(concerned - {track["track"] for track in tracks}),
        }

    def jpeg(self, index: int, size: Size, frame: int) -> bytes:
        self._check(index)
        return self._pictures.jpeg(self._box_file.records[index], size, frame)

    def saving(self) -> dict[str, Any]:
        return asdict(self._box_file.saving)

    def _film(self, index: int) -> Record:
        self._check(index)
        record = self._box_file.records[index]
        if not is_film(record):
            abort(404, "it is not a film")
        return record

    def _frames(self, record: Record) -> int:
        """How many frames a picture has; what a film says of itself is a guess."""
        frames = self._pictures.frames(record)
        return record.frame_count or frames

    def _check(self, index: int) -> None:
        if index not in self._chosen:
            abort(404, "there is no such picture")


def _counts(record: Record) -> dict[str, int]:
    """How many faces are hidden and how many are not; each track is one."""
    return {
        name: faces.face_count if isinstance(faces, FaceTable) else len(faces)
        for name, faces in (("hidden", record.hidden), ("shown", record.shown))
    }


def _revision_of(new: Any) -> int:
    if not isinstance(new, dict) or type(new.get("revision")) is not int:
        raise BoxesError("a change needs the revision that it was made from")
    revision: int = new["revision"]
    return revision


def _changed(old: Record, new: dict[str, Any]) -> Record:
    """The record with other faces; read as a line of a box file is, with its checks."""
    faces, reviewed = new.get("faces"), new.get("reviewed")
    told = {**head_of(old), "faces": faces, "reviewed": reviewed}
    record = boxes.from_line(json.dumps(told))
    return replace(
        old, hidden=record.hidden, shown=record.shown, reviewed=record.reviewed
    )
