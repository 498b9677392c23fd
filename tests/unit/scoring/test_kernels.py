"""The fast ways on their own: longest common subsequences, n-gram counts, and the memo of cut texts."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.records import Language
from pet2rep_core.scoring import meteor, rouge
from pet2rep_core.scoring.cut_text import CutTexts
from pet2rep_core.scoring.ngrams import NgramIndex
from pet2rep_core.scoring.nlg import cut_texts, score_nlg
from pet2rep_core.scoring.profiles import PROFILES

REFERENCE = PROFILES["reference"]
WORDS = st.lists(st.integers(0, 5).map(str), max_size=60)


def lcs_by_table(one, other):
    """The textbook table, as the witness."""
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, second in enumerate(other):
            above = row[place + 1]
            row[place + 1] = diagonal + 1 if word == second else max(above, row[place])
            diagonal = above
    return row[-1]


@pytest.mark.parametrize(("short", "mask_bytes"), [(4096, 0), (0, 2**20), (0, 10), (10, 2**20)])
@settings(max_examples=60, deadline=None)
@given(one=WORDS, other=WORDS)
def test_lcs_of_short_and_of_long_texts_is_that_of_the_table(short, mask_bytes, one, other):
    before = rouge._SHORT, rouge._MASK_BYTES
    try:
        rouge._SHORT, rouge._MASK_BYTES = short, mask_bytes
        assert rouge.RougeIndex(one).lcs_length(other) == lcs_by_table(one, other)
        # common ends, which long texts leave out
        assert rouge.RougeIndex(one + other).lcs_length(one) == len(one)
    finally:
        rouge._SHORT, rouge._MASK_BYTES = before


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=50), st.lists(st.integers(-1, 4), max_size=50))
def test_clipped_counts_are_those_of_counters(reference, hypothesis):
    # Witness: collections.Counter, whose & keeps the smaller count; -1 stands for a word that is not there.
    def grams(ids, order):
        return Counter(tuple(ids[i : i + order]) for i in range(len(ids) - order + 1))

    expected = tuple((grams(reference, n) & grams(hypothesis, n)).total() for n in range(1, 7))
    got = NgramIndex(np.array(reference), 5, 6).matches(np.array(hypothesis, np.int64))
    assert got == expected


def test_the_memo_forgets_the_oldest_and_never_keeps_a_huge_text():
    texts = CutTexts(characters=40)
    first, second = (texts.get(letter * 10, REFERENCE, Language.ENGLISH) for letter in "ab")
    assert texts.get("a" * 10, REFERENCE, Language.ENGLISH) is first
    for letter in "cde":
        texts.get(letter * 10, REFERENCE, Language.ENGLISH)
    # b was used longest ago: a, c, d, e fill the 40 characters
    assert texts.get("a" * 10, REFERENCE, Language.ENGLISH) is first
    assert texts.get("b" * 10, REFERENCE, Language.ENGLISH) is not second
    huge = texts.get("x" * 11, REFERENCE, Language.ENGLISH)
    assert texts.get("x" * 11, REFERENCE, Language.ENGLISH) is not huge


def test_profiles_and_languages_do_not_share_a_text():
    texts = CutTexts()
    made = {id(texts.get("FDG", profile, language)) for profile in PROFILES.values() for language in profile.words}
    assert len(made) == sum(len(profile.words) for profile in PROFILES.values())


def test_threads_get_the_same_scores():
    pairs = [(f"肝脏FDG摄取增高{n % 7}，脾脏正常。", f"肝脏正常{n % 5}。") for n in range(200)]
    alone = [score_nlg(*pair, Language.CHINESE) for pair in pairs]
    cut_texts().forget()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: score_nlg(*pair, Language.CHINESE), pairs)) == alone


def test_meteor_of_more_words_than_its_memo_keeps(monkeypatch):
    # Witness: the same score while the memo has room.
    pair = ("nodules increased in lungs", "the nodule increases in the lung")
    expected = score_nlg(*pair, Language.ENGLISH, metrics=("meteor",))
    assert expected[0].value > 0.5
    meteor._lower.cache_clear()
    monkeypatch.setattr(meteor, "_KEPT_WORDS", 2)
    cut_texts().forget()
    assert score_nlg(*pair, Language.ENGLISH, metrics=("meteor",)) == expected
    meteor._lower.cache_clear()
