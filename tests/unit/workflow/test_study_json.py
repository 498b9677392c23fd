"""What a reader's screen sends and gets as JSON."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Mark, MarkKind, Missed
from pet2rep_core.workflow.study_read import draft_json, open_desk, read_draft, submit
from tests.reader_study import HABITS, KEYS, a_protocol, click, filled_draft, person, started_study


def test_a_draft_goes_through_json_unchanged(reported):
    reader = person("R01")
    study_id = started_study(reported, a_protocol(4, training=0))
    desk = open_desk(reported, reader, study_id)
    first = replace(desk.draft, answers=dict.fromkeys(KEYS, 4))
    submit(reported, reader, study_id, desk.code, first, event_id=click())
    desk = open_desk(reported, reader, study_id)
    draft = replace(
        filled_draft(reported, desk, "R01", HABITS["R01"]),
        marks=(Mark(0, 0, 3, MarkKind.COPIED, significant=False),),
        missed=(Missed(0, 0, 3, significant=True),),
        comments={"acc": "左侧 <b>&"},
    )
    assert read_draft(json.loads(json.dumps(draft_json(draft)))) == draft


def _damaged() -> Iterator[tuple[str, object]]:
    yield from [("opening", 3), ("opening", "x"), ("stage", "last"), ("revision", "1"), ("revision", True)]
    yield from [("answers", []), ("answers", {"acc": "4"}), ("answers", {"acc": 4.5}), ("answers", {"acc": True})]
    yield from [("reasons", {"acc": 1}), ("comment", "x" * 4001), ("comment", None), ("active_ms", 1.5)]
    yield from [("marks", [{}]), ("marks", "all"), ("missed", [{"sentence": 0, "start": 0, "end": 1}])]
    yield from [("marks", [{"sentence": 0, "start": 0, "end": 1, "kind": "bad", "significant": True}])]


@pytest.mark.parametrize(("name", "value"), list(_damaged()))
def test_what_a_screen_may_not_send(name, value):
    good = {"opening": "0" * 24, "stage": "final", "revision": 0, "answers": {"acc": 4}, "active_ms": 0}
    assert read_draft(good).answers == {"acc": 4}
    with pytest.raises(StoreError, match=r"The answers of this screen cannot be read|does not say when"):
        read_draft({**good, name: value})
