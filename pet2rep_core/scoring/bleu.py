"""BLEU of one text from its clipped n-gram counts, without smoothing."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

ORDERS = 4


def bleu_scores(matches: Sequence[int], hypothesis_length: int, reference_length: int) -> tuple[float, ...]:
    """Return BLEU-1 to BLEU-4, each 0 to 1, equal to the last bit to nltk's ``sentence_bleu``.

    An order without a match has the smallest normal float for its precision, as in nltk: the score is then
    a number such as 1e-78 and means 0.

    Parameters
    ----------
    matches : sequence of 4 int
        Clipped matches of the n-grams of order 1 to 4.
    hypothesis_length, reference_length : int
        Words of each text.

    References
    ----------
    Papineni et al. 2002, ACL, 311-318.
    """
    if not matches[0]:
        return (0.0,) * ORDERS
    shorter = hypothesis_length <= reference_length
    brevity = math.exp(1 - reference_length / hypothesis_length) if shorter else 1
    logs = [
        math.log(found / max(1, hypothesis_length - order) if found else sys.float_info.min)
        for order, found in enumerate(matches)
    ]
    return tuple(
        brevity * math.exp(math.fsum((1 / orders) * log for log in logs[:orders])) for orders in range(1, ORDERS + 1)
    )
