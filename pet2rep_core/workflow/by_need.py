"""A mapping whose values are made when somebody asks for them, each once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByNeed(Mapping[K, V]):
    """Known keys, and what makes the value of each. Safe to read from many threads.

    Parameters
    ----------
    keys : iterable
        In the order in which the mapping is gone through.
    make : key -> value
        Called once for each key that is asked for; where it fails, once more at the next asking.
    """

    def __init__(self, keys: Iterable[K], make: Callable[[K], V]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[K, V] = {}
        self._lock = threading.RLock()

    def __getitem__(self, key: K) -> V:
        """Return the value of a key, made now where nobody asked for it before."""
        if key not in self._keys:
            raise KeyError(key)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(key)
            return self._made[key]

    def __iter__(self) -> Iterator[K]:
        """Go through the keys."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._keys)
