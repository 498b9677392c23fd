"""Ratings: every click once, every revision kept, no tab overwrites another."""

import threading
from collections import Counter

import pytest

from pet2rep_core.errors import StaleRatingError, StoreError
from tests.crash.samples import ANSWERS, a_rating, click, fill, opened, rate


def test_a_rating_comes_back_as_it_was_saved(store):
    saved = rate(store, event_id="click-0001")
    assert (saved.event_id, saved.revision, saved.repeated) == ("click-0001", 1, False)
    stored = store.rating("gen-1", "R01")
    assert (stored.rating, stored.revision, stored.withdrawn) == (a_rating(), 1, False)
    assert list(stored.rating.answers.items()) == sorted(ANSWERS.items()) or stored.rating.answers == ANSWERS
    assert store.rating("gen-1", "R02") is None
    assert store.rating("gen-2", "R01") is None
    rows = store._database.rows("SELECT dimension, value FROM rating_answer ORDER BY dimension")
    assert rows == sorted(ANSWERS.items())


def test_the_same_click_twice_is_saved_once(store):
    event_id = click()
    assert rate(store, event_id=event_id).repeated is False
    again = rate(store, event_id=event_id, duration_ms=99_999)
    assert (again.revision, again.repeated) == (1, True)
    assert len(store.rating_history("gen-1", "R01")) == 1
    with pytest.raises(StoreError, match="already saved with other answers"):
        rate(store, event_id=event_id, comment="changed my mind")


def test_a_screen_that_showed_an_older_revision_is_told(store):
    rate(store)
    for base in (0, 2):
        with pytest.raises(StaleRatingError, match=f"at revision 1, the screen showed revision {base}") as caught:
            rate(store, base=base, comment="from another tab")
        assert "Load the page again" in caught.value.hint
    assert rate(store, base=1, comment="better").revision == 2
    assert [r.rating.comment for r in store.rating_history("gen-1", "R01")] == ["肝脏漏报", "better"]


def test_a_withdrawn_rating_stays_in_the_history_and_can_be_given_again(store):
    rate(store)
    saved = store.withdraw_rating(
        "gen-1", "R01", event_id=click(), base_revision=1, session_id="tab", reason="wrong case"
    )
    assert saved.revision == 2
    assert store.rating("gen-1", "R01") is None
    assert store.ratings_table().num_rows == 0
    assert [(r.withdrawn, r.rating.comment) for r in store.rating_history("gen-1", "R01")] == [
        (False, "肝脏漏报"),
        (True, "wrong case"),
    ]
    assert rate(store, base=0).revision == 3  # the screen rightly showed no rating
    with pytest.raises(StoreError, match="no rating to withdraw"):
        store.withdraw_rating("gen-2", "R01", event_id=click(), base_revision=0, session_id="tab", reason="")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": {}}, "answers no dimension"),
        ({"answers": {"acc": 6}}, "'acc' is 6"),
        ({"answers": {"acc": 0}}, "'acc' is 0"),
        ({"answers": {"acc": True}}, "'acc' is True"),
        ({"answers": {"acc": 3.5}}, "'acc' is 3.5"),
        ({"reader": " "}, "no reader"),
        ({"shown_sha256": "abc"}, "which text was shown"),
        ({"duration_ms": -1}, "-1 ms"),
        ({"generation_id": "gen-9"}, "'gen-9' is not in the store"),
        ({"comment": "\ud800"}, "cannot be stored"),
    ],
)
def test_a_rating_that_makes_no_sense_is_refused(store, changes, words):
    with pytest.raises(StoreError, match=words):
        store.record_rating(a_rating(**changes), event_id=click(), base_revision=0, session_id="tab")
    assert store.ratings_table().num_rows == 0
    assert store.verify() == []


def test_an_event_name_that_cannot_be_told_apart_is_refused(store):
    with pytest.raises(StoreError, match="event name '1'"):
        rate(store, event_id="1")


def test_eight_readers_at_once_lose_nothing(empty):
    fill(empty, generations=25)
    failures = []

    def reader(name):
        try:
            for number in range(1, 26):
                rate(empty, f"gen-{number}", reader=name)
                assert empty.rating(f"gen-{number}", name).revision == 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=reader, args=(f"R{n:02}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert empty.ratings_table().num_rows == 8 * 25 * 5
    assert empty.verify() == []


def test_of_four_tabs_with_the_same_revision_one_wins(store):
    outcomes = Counter()
    barrier = threading.Barrier(4)

    def tab(revision, name):
        barrier.wait()
        try:
            rate(store, base=revision, comment=name)
            outcomes["saved"] += 1
        except StaleRatingError:
            outcomes["stale"] += 1

    for revision in range(5):
        threads = [threading.Thread(target=tab, args=(revision, f"tab {n}")) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == {"saved": 5, "stale": 15}
    assert store.rating("gen-1", "R01").revision == 5


def test_a_draft_lasts_until_the_rating_that_follows(store):
    assert store.draft("R01", "gen-1") is None
    store.record_draft("R01", "gen-1", {"acc": 2})
    store.record_draft("R01", "gen-1", {"acc": 2, "com": None}, "noch")
    draft = store.draft("R01", "gen-1")
    assert (draft.answers, draft.comment) == ({"acc": 2, "com": None}, "noch")
    assert store.draft("R02", "gen-1") is None
    rate(store)
    assert store.draft("R01", "gen-1") is None
    store.record_draft("R01", "gen-1", {"acc": 1})
    assert store.draft("R01", "gen-1").answers == {"acc": 1}


def test_ratings_and_drafts_survive_closing(home):
    with_store = opened(home)
    fill(with_store)
    rate(with_store)
    with_store.record_draft("R01", "gen-1", {"acc": 1})
    with_store.close()
    again = opened(home)
    assert again.notices == ()
    assert again.rating("gen-1", "R01").rating == a_rating()
    assert again.draft("R01", "gen-1").answers == {"acc": 1}
    assert again.verify() == []
    again.close()
