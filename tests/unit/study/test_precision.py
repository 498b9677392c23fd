"""Expected precision. Witness: the formula of Bonett, Statistics in Medicine 2002;21:1331, worked for four studies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import SettingsError
from pet2rep_core.study.precision import icc_items, icc_width


@pytest.mark.parametrize(("icc", "readers", "items"), [(0.7, 2, 101), (0.7, 3, 68), (0.5, 2, 218), (0.5, 3, 130)])
def test_items_for_an_interval_a_fifth_wide(icc, readers, items):
    assert icc_items(0.2, readers, icc) == items


@given(st.floats(0.05, 0.6), st.integers(2, 12), st.floats(0.1, 0.95))
def test_so_many_items_reach_the_width_and_one_less_does_not(width, readers, icc):
    items = icc_items(width, readers, icc)
    if items > 2:
        assert icc_width(items, readers, icc) <= width * (1 + 1e-9)
        assert icc_width(items - 1, readers, icc) > width * (1 - 1e-9)


@given(st.integers(2, 500), st.integers(2, 12), st.floats(0, 0.99))
def test_more_items_never_widen_the_interval(items, readers, icc):
    assert icc_width(items + 1, readers, icc) <= icc_width(items, readers, icc) <= 2


def test_one_item_says_nothing():
    assert icc_width(1, 3, 0.7) == 2


@pytest.mark.parametrize(
    ("width", "readers", "icc", "words"),
    [
        (0.2, 1, 0.7, "One reader cannot agree with anyone."),
        (0.0, 2, 0.7, "An interval cannot be 0.0 wide."),
        (0.2, 2, 1.0, "An expected ICC of 1.0 cannot be used."),
    ],
)
def test_what_cannot_be_asked(width, readers, icc, words):
    with pytest.raises(SettingsError, match=words):
        icc_items(width, readers, icc)
