"""Many names in one: `{0000..0999}` and `{train,test}`, as shells write them."""

import re
from collections.abc import Iterator
from itertools import product
from math import prod

from faceanon.errors import FaceanonError
from faceanon.storage.names import shown

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}")


class BraceExpansion:
    """A path with braces in it, each of which stands for several texts.

    Args:
        text: the path.

    Raises:
        FaceanonError: there is no folder that all of the paths have in common.
    """

    def __init__(self, text: str) -> None:
        # re.split gives the text between two matches, then the groups of the next.
        pieces = _BRACES.split(text)
        folder, separator, pieces[0] = pieces[0].rpartition("/")
        if folder.endswith(":/"):
            raise FaceanonError(f"{shown(text)}: a bucket's name cannot hold braces")
        # What comes before the braces, up to a slash: outputs keep the rest.
        self.folder = folder + separator or "."
        self._literals = pieces[::4]
        self._choices = [
            _Numbers(first, last) if first else tuple(listed.split(","))
            for first, last, listed in zip(
                pieces[1::4], pieces[2::4], pieces[3::4], strict=True
            )
        ]

    @staticmethod
    def are_in(text: str) -> bool:
        """Whether a path has braces that stand for several texts."""
        return _BRACES.search(text) is not None

    def names(self) -> Iterator[str]:
        """The paths below the folder, in order.

        >>> list(BraceExpansion("in/{a,b}/{08..10}.tar").names())[1:4]
        ['a/09.tar', 'a/10.tar', 'b/08.tar']
        """
        for chosen in product(*self._choices):
            yield self._literals[0] + "".join(
                choice + literal
                for choice, literal in zip(chosen, self._literals[1:], strict=True)
            )

    def __len__(self) -> int:
        return prod(len(choice) for choice in self._choices)


class _Numbers:
    """The numbers of a range, of one width where one of its ends begins with 0."""

    def __init__(self, first: str, last: str) -> None:
        step = 1 if int(first) <= int(last) else -1
        self._range = range(int(first), int(last) + step, step)
        is_padded = any(len(end) > 1 and end[0] == "0" for end in (first, last))
        self._width = max(len(first), len(last)) if is_padded else 0

    def __iter__(self) -> Iterator[str]:
        return (f"{number:0{self._width}}" for number in self._range)

    def __len__(self) -> int:
        return len(self._range)
