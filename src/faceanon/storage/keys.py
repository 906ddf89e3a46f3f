"""Keys that are made of a seed, so that what depends on it is no quick way to it."""

import hashlib
from dataclasses import dataclass
from functools import cache

# Seeds below this can all be tried: slow hashing makes up for about 16 bits.
_LEAST_SECRET = 2**64

# Of scrypt: 32 MB and a tenth of a second for each seed that somebody tries.
_COST, _MOST_BYTES = 2**15, 2**26


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """What a run draws its secrets from, in place of the seed.

    Workers get it, and not the seed: who has a key can repeat what was made with it,
    but does not learn the seed, which may serve elsewhere.

    Attributes:
        material: 64 bytes.
        is_short: whether the seed can be found by trying.
    """

    material: bytes
    is_short: bool

    @staticmethod
    @cache
    def of(seed: int) -> "Key":
        """The key of a seed, by scrypt (RFC 7914), which is slow.

        Args:
            seed: 0 or more.
        """
        material = hashlib.scrypt(
            str(seed).encode(),
            salt=b"faceanon",
            n=_COST,
            r=8,
            p=1,
            maxmem=_MOST_BYTES,
        )
        return Key(material, seed < _LEAST_SECRET)

    def derived(self, purpose: bytes) -> bytes:
        """A key for one purpose, 64 bytes; those for others tell nothing of it.

        >>> key = Key.of(1)
        >>> key.derived(b"names") == key.derived(b"names") != key.derived(b"noise")
        True
        """
        return hashlib.blake2b(purpose, key=self.material).digest()
