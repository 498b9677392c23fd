"""ROUGE-L: F1 of the longest common subsequence (LCS) of words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

_SHORT = 4096
_MASK_BYTES = 64 * 2**20


class RougeIndex:
    """Where each word of a reference stands, as the bits of one number."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._masks: dict[str, int] = {}
        if len(words) <= _SHORT:
            bit = 1
            for word in words:
                self._masks[word] = self._masks.get(word, 0) | bit
                bit += bit

    def score(self, hypothesis: Sequence[str]) -> float:
        """Return ROUGE-L as F1 from 0 to 1, equal to the last bit to that of rouge_score on the same words.

        References
        ----------
        Lin 2004, Text Summarization Branches Out, 74-81.
        """
        common = self.lcs_length(hypothesis)
        if not common:
            return 0.0
        precision, recall = common / len(hypothesis), common / len(self.words)
        return 2 * precision * recall / (precision + recall)

    def lcs_length(self, hypothesis: Sequence[str]) -> int:
        """Return the length of the LCS, one word of the hypothesis and all of the reference at a time.

        References
        ----------
        Hyyro 2004, Bit-parallel LCS-length computation revisited, AWOCA, 16-27.
        """
        if len(self.words) <= _SHORT:
            masks = [mask for mask in map(self._masks.get, hypothesis) if mask is not None]
            return _lcs_length(masks, len(self.words))
        if len(hypothesis) <= _SHORT:
            return RougeIndex(hypothesis).lcs_length(self.words)
        return self._long_lcs_length(hypothesis)

    def _long_lcs_length(self, hypothesis: Sequence[str]) -> int:
        """Return the length of the LCS of two long texts, with as many masks at a time as memory allows."""
        ends, words, hypothesis = _without_common_ends(self.words, hypothesis)
        size = len(words)
        places_of: defaultdict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(words):
            places_of[word].append(place)
        masks: dict[str, int] = {}
        row = (1 << size) - 1
        for word in hypothesis:
            mask = masks.get(word)
            if mask is None:
                places = places_of.get(word)
                if places is None:
                    continue
                if (len(masks) + 1) * (size // 8) > _MASK_BYTES:
                    masks.clear()
                mask = masks[word] = bit_mask(places, size)
            common = row & mask
            row = (row + common) | (row - common)
        return ends + size - (row & ((1 << size) - 1)).bit_count()


def _without_common_ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, Sequence[str], Sequence[str]]:
    """Return how many words both texts share at their ends, and the two texts without them."""
    short = min(len(one), len(other))
    first = next((place for place in range(short) if one[place] != other[place]), short)
    last = next((place for place in range(short - first) if one[-1 - place] != other[-1 - place]), short - first)
    return first + last, one[first : len(one) - last], other[first : len(other) - last]


def _lcs_length(masks: Sequence[int], size: int) -> int:
    full = row = (1 << size) - 1
    for mask in masks:
        common = row & mask
        row = (row + common) | (row - common)
    return size - (row & full).bit_count()


def bit_mask(places: Sequence[int], size: int) -> int:
    """Return the number of ``size`` bits that has a 1 at each place."""
    if len(places) <= 16:
        return sum(1 << place for place in places)
    bits = np.zeros(size, np.uint8)
    bits[places] = 1
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
