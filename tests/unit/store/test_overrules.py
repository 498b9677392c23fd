"""Overruled cells: kept in two places, every revision, with author and reason; and what scores were made from."""

from dataclasses import replace

import pytest

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Language, Score
from pet2rep_core.store import Cell, CellOverrule, Recorded
from tests.crash.samples import fill, opened, rate
from tests.unit.store.test_journal import DATABASE, JOURNAL

CELL = Cell("case-1", Language.CHINESE, "hypothesis", "c" * 64, "liver")


def an_overrule(**changes) -> CellOverrule:
    values = {
        "cell": CELL, "states": ("increased",), "automatic": ("normal",), "author": "R01", "reason": "肝右叶结节",
        "extractor": "rules-2-0123abcd", "generation_id": "gen-1",
    }  # fmt: skip
    return CellOverrule(**{**values, **changes})


def test_an_overrule_comes_back_and_the_automatic_value_with_it(store):
    kept = store.record_overrule(an_overrule())
    assert (kept.revision, kept.withdrawn, kept.overrule) == (1, False, an_overrule())
    assert store.overrules("case-1") == store.overrules() == [kept]
    assert store.overrules("case-2") == []
    assert store.overrule_history(replace(CELL, organ="spleen")) == []


def test_the_same_again_is_one_revision_and_another_is_the_next(store):
    first = store.record_overrule(an_overrule())
    assert store.record_overrule(an_overrule()) == first
    second = store.record_overrule(an_overrule(states=("increased", "absent"), author="R02", reason="并见囊肿"))
    assert second.revision == 2
    assert store.overrules() == [second]
    assert store.overrule_history(CELL) == [first, second]
    assert store.verify() == []


def test_cells_of_other_sides_texts_and_organs_are_apart(store):
    cells = [CELL, *(replace(CELL, **change) for change in (
        {"side": "reference"}, {"text_sha256": "d" * 64}, {"organ": "spleen"}, {"language": Language.ENGLISH},
    ))]  # fmt: skip
    for cell in cells:
        assert store.record_overrule(an_overrule(cell=cell)).revision == 1
    assert len(store.overrules()) == 5


def test_a_withdrawn_overrule_stays_in_the_history(store):
    store.record_overrule(an_overrule())
    gone = store.withdraw_overrule(CELL, "R02", "misread")
    assert (gone.revision, gone.withdrawn, gone.overrule.author, gone.overrule.reason) == (2, True, "R02", "misread")
    assert store.overrules() == []
    assert store.withdraw_overrule(CELL, "R03", "again") == gone
    assert store.record_overrule(an_overrule(states=())).revision == 3
    assert [one.withdrawn for one in store.overrule_history(CELL)] == [False, True, False]
    with pytest.raises(StoreError, match="not overruled"):
        store.withdraw_overrule(replace(CELL, organ="spleen"), "R01", "no")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"author": " "}, "no author"),
        ({"reason": ""}, "no reason"),
        ({"reason": "x" * 2001}, "2001 characters"),
        ({"states": ("hot",)}, "'hot' is no uptake state"),
        ({"states": ("normal", "increased")}, "cannot stand together"),
        ({"states": ("increased", "increased")}, "cannot stand together"),
        ({"cell": replace(CELL, side="both")}, "'both' is no side"),
        ({"cell": replace(CELL, case_id="case-9")}, "'case-9' is not in the store"),
        ({"generation_id": "gen-2"}, "no generation 'gen-2'"),
    ],
)
def test_an_overrule_that_makes_no_sense_is_refused(store, changes, words):
    with pytest.raises(StoreError, match=words) as caught:
        store.record_overrule(an_overrule(**changes))
    assert caught.value.hint
    assert store.overrules() == []
    assert store.verify() == []


def test_a_lost_database_brings_overrules_back_from_the_journal(home):
    store = opened(home)
    fill(store)
    rate(store)
    store.record_overrule(an_overrule())
    kept = store.record_overrule(an_overrule(states=("absent",)))
    store.close()
    (home / DATABASE).unlink()
    again = opened(home)
    assert again.notices[-1] == "2 overrules were missing in the database and came back from the journal."
    assert again.overrules() == [kept]
    fill(again)
    assert again.verify() == []
    again.close()
    (home / JOURNAL).unlink()
    third = opened(home)
    assert "2 overrules were missing in the journal" in third.notices[-1]
    assert third.verify() == []
    third.close()


def test_a_score_knows_what_it_was_made_from(store):
    scores = [Score("a", 1.0, "a|v:1"), Score("b", None, "b|v:1", "empty")]
    store.record_scores("gen-1", scores)
    assert store.score_inputs() == {"gen-1": {"a|v:1": None, "b|v:1": None}}
    # the same number from another reference is another revision
    assert store.record_scores("gen-1", scores, inputs={"a|v:1": "e" * 64}) == [Recorded.REVISED, Recorded.UNCHANGED]
    assert store.record_scores("gen-1", scores, inputs={"a|v:1": "e" * 64}) == [Recorded.UNCHANGED] * 2
    assert store.score_inputs("case-1") == {"gen-1": {"a|v:1": "e" * 64, "b|v:1": None}}
    assert store.score_inputs("case-2") == {}
