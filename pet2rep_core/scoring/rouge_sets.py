"""ROUGE-L as the PyPI package ``rouge`` 1.0.1 counts it: sets of words, sentences cut at every full stop.

Widely used on space-joined Chinese words and the closest known match to the benchmark's Table 1. A decimal
point starts a new "sentence", a word counts once however often it stands, and of several longest common
subsequences the package's own walk through the table takes one; all three move the value. The package
itself needs minutes for a hundred reports and ends with RecursionError on texts of more than about 900 words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pet2rep_core.scoring.rouge import bit_mask

LARGEST_TABLE = 400_000_000
"""Words of one text times words of the other, above which there is no score: a bit each, 50 MB, is kept."""


def rouge_sets_score(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F-score from 0 to 1, equal to the last bit to ``Rouge().get_scores`` on space-joined words."""
    said, true = _sentences(hypothesis), _sentences(reference)
    if not said or not true:
        return 0.0
    common: set[str] = set()
    for sentence in true:
        for other in said:
            common.update(_common_words(sentence, other))
    recall = len(common) / len(set().union(*true))
    precision = len(common) / len(set().union(*said))
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def _sentences(words: Sequence[str]) -> list[list[str]]:
    # an empty "sentence" of white space is one empty word there, and counts
    return [" ".join(part.split()).split(" ") for part in " ".join(words).split(".") if part]


def _common_words(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[str]:
    """Yield the words of one longest common subsequence: from the end, a match first, then up, then left."""
    rows = _rows(reference, hypothesis)
    i, j = len(reference), len(hypothesis)
    while i and j:
        if reference[i - 1] == hypothesis[j - 1]:
            i, j = i - 1, j - 1
            yield reference[i]
        elif rows[i - 1] >> (j - 1) & 1:
            j -= 1
        else:
            i -= 1


def _rows(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Return the LCS table, one number a row: bit j is 0 where the length grows from column j to j + 1."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    wanted = set(reference)
    for place, word in enumerate(hypothesis):
        if word in wanted:
            places[word].append(place)
    masks = {word: bit_mask(at, len(hypothesis)) for word, at in places.items()}
    full = row = (1 << len(hypothesis)) - 1
    rows = []
    for word in reference:
        common = row & masks.get(word, 0)
        row = ((row + common) | (row - common)) & full
        rows.append(row)
    return rows
