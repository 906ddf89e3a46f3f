"""The one place that knows where the data files are."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def data_dir() -> Traversable:
    """The folder that holds `cascades/`, `emoji/`, `fonts/` and other data."""
    packaged = files("faceanon") / "data"
    if packaged.is_dir():
        return packaged
    # An editable install or a checkout: data/ stands at the top of the tree.
    return Path(__file__).parents[2] / "data"


@cache
def read_data(name: str) -> bytes:
    """Read a data file whole, for example `"models/centerface.onnx"`.

    Data travels as bytes, never as a path: that works from a zipped package and from
    folders whose names OpenCV cannot open.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return data_dir().joinpath(*name.split("/")).read_bytes()
