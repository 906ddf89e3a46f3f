"""One part of a run that is split among machines: `--shard I/N`."""

from dataclasses import dataclass
from hashlib import blake2b

from faceanon.errors import OptionError


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts which together hold each picture once.

    Attributes:
        index: which part, 0 to `count` - 1.
        count: how many parts there are.
    """

    index: int
    count: int

    @property
    def label(self) -> str:
        """The shard as a part of a file's name, such as `3of16`."""
        return f"{self.index}of{self.count}"

    def holds(self, name: str) -> bool:
        """Whether a picture is in this part.

        It depends on nothing but the name, so that machines which know nothing of each
        other agree.
        """
        digest = blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index


def parse_shard(text: str) -> Shard:
    """The shard that `I/N` names.

    I may count from 0, up to N - 1, or from 1, up to N, as schedulers do the one or the
    other: N/N is the same part as 0/N.

    >>> parse_shard("3/4"), parse_shard("4/4")
    (Shard(index=3, count=4), Shard(index=0, count=4))

    Raises:
        OptionError: it is no such text.
    """
    index, _, count = text.partition("/")
    if not (index.isascii() and index.isdecimal() and count.isascii()):
        raise OptionError(_refusal(text))
    if not count.isdecimal() or int(count) < 1 or int(index) > int(count):
        raise OptionError(_refusal(text))
    return Shard(int(index) % int(count), int(count))


def _refusal(text: str) -> str:
    return f"{text!r} is no shard; write I/N, such as 0/4 for the first of four"
