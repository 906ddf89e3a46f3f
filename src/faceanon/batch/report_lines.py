"""Lines of reports as JSON that strict readers take, whatever bytes names hold.

Python has a lone surrogate for each byte of a name that is no Unicode text, and `json`
writes it as it is; others refuse all of such a file.
"""

import json
import os
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from faceanon.storage.names import shown

_NAMES = ("picture", "input", "output")
_MARK = "percent_encoded"


def to_json(line: dict[str, Any]) -> str:
    r"""A line as ASCII.

    Where one of its names is no Unicode text, all are written as in URLs, and the line
    says so. In other texts the bytes are shown, as they are to people.

    >>> to_json({"picture": "ä\udcff.jpg", "output": None, "notes": []})
    '{"picture": "%C3%A4%FF.jpg", "output": null, "notes": [], "percent_encoded": true}'
    >>> to_json({"picture": "a%FF.jpg", "error": "no \udcff"})
    '{"picture": "a%FF.jpg", "error": "no \\\\xff"}'
    """
    text = json.dumps(line)
    if "\\ud" not in text or not _has_bytes(line):
        return text
    names = {name: line[name] for name in _NAMES if line.get(name) is not None}
    readable: dict[str, Any] = _readable(line)
    if _has_bytes(names):
        for name, plain in names.items():
            readable[name] = quote_from_bytes(os.fsencode(plain))
        readable[_MARK] = True
    return json.dumps(readable)


def from_json(text: str) -> Any:
    r"""What `to_json` was given, as far as names go.

    >>> from_json('{"picture": "a%FF.jpg", "percent_encoded": true}')["picture"]
    'a\udcff.jpg'

    Raises:
        ValueError, AttributeError, TypeError: it is no such line.
    """
    line = json.loads(text)
    if line.get(_MARK):
        for name in _NAMES:
            if line.get(name) is not None:
                line[name] = os.fsdecode(unquote_to_bytes(line[name]))
    return line


def _has_bytes(value: Any) -> bool:
    """Whether a text in a value holds bytes that are no Unicode."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _readable(value: Any) -> Any:
    """The value with its bytes shown."""
    if isinstance(value, dict):
        return {_readable(key): _readable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(each) for each in value]
    return shown(value) if isinstance(value, str) and _has_bytes(value) else value
