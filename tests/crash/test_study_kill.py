"""A study whose store is killed while readers draft and submit: nothing confirmed is lost, nothing is half there."""

import json
import random

import pytest

from pet2rep_core.records import Stage
from pet2rep_core.workflow.study_read import EmptyDesk, open_desk
from tests.crash.samples import opened
from tests.crash.test_kill import KILLS, run_and_kill
from tests.reader_study import KEYS, READERS, a_protocol, add_reports, person, started_study


@pytest.mark.slow
def test_kills_in_mid_study_lose_nothing_that_was_confirmed(tmp_path):
    chance = random.Random(20261129)
    home = tmp_path / "home"
    store = opened(home)
    add_reports(store, 4)
    study_id = started_study(store, a_protocol(4, training=0, repeat_share=0.0))
    store.close()
    submitted, drafted, reminded, in_checkpoint = {}, {}, set(), 0
    for kill in range(KILLS):
        after = (chance.randrange(6, 16), ("drafted", "submitted"))
        lines = run_and_kill(home, f"k{kill}", chance.uniform(0, 0.05), module="tests.crash.study_writer", after=after)
        submitted |= {w[1]: (w[2], w[3], int(w[4]), w[5]) for w in lines if w[0] == "submitted"}
        drafted |= {(w[1], w[2], int(w[3])): w[4] for w in lines if w[0] == "drafted"}
        reminded |= {w[1] for w in lines if w[0] == "reminded"}
        marks = [words[0] for words in lines if words[0].startswith("checkpoint")]
        in_checkpoint += marks[-1:] == ["checkpoint-begins"]

        store = opened(home)
        found = _ratings(store, study_id)
        assert {name: found[name] for name in submitted} == submitted
        # at most the click that was under way per reader and kill is there without having been confirmed
        assert len(found) - len(submitted) <= len(READERS) * (kill + 1)
        rows = store._database.rows("SELECT code, stage, number, CAST(content AS VARCHAR) FROM study_draft")
        drafts = {tuple(row[:3]): json.loads(row[3])["comment"] for row in rows}
        assert {place: drafts[place] for place in drafted} == drafted
        assert reminded <= {event.event_id for event in store.studies.events(study_id, "remind")}
        assert store._database.rows("SELECT count(*) FROM study_answer") == [(len(found) * len(KEYS),)]
        assert store.verify() == []
        _comes_back_to_the_newest_draft(store, study_id, drafts)
        if kill % 2:  # every other time the next writer recovers from a store that was not closed
            store.close()
        else:
            store._database._close_connections()
            store._database._lock.release()
    # two drafts go before each answer: of so many lines at least these are answers, however the readers took turns
    assert len(submitted) >= KILLS
    assert len(drafted) >= 2 * KILLS
    assert in_checkpoint >= KILLS // 10

    for file in home.glob("pet2rep.duckdb*"):  # and then the whole database is lost
        file.unlink()
    store = opened(home)
    assert _ratings(store, study_id) == found
    assert store.studies.problems() == []
    store.close()


def _ratings(store, study_id):
    """Return what is stored by click; a rating whose parts do not belong together fails here."""
    found = {}
    for one in store.studies.ratings(study_id, history=True):
        assert set(one.rating.comment.split(one.event_id)) == {""}
        assert one.rating.reason == (one.event_id if one.revision > 1 else "")
        found[one.event_id] = (one.rating.code, one.rating.stage.value, one.revision, one.rating.reader)
    return found


def _comes_back_to_the_newest_draft(store, study_id, drafts):
    for reader in READERS:
        desk = open_desk(store, person(reader), study_id)
        if not isinstance(desk, EmptyDesk) and desk.source == "draft":
            numbers = [number for code, stage, number in drafts if (code, Stage(stage)) == (desk.code, desk.stage)]
            assert desk.draft.comment == drafts[desk.code, desk.stage.value, max(numbers)]
