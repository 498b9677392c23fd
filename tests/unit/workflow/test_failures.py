"""The failure browser: each scripted mistake is under the filter where a researcher would look for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Generation, GenerationStatus, Language
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, RunRow, Store, open_store
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.failures import (
    FILTERS,
    FailureTable,
    FailureView,
    count_failures,
    numbers_of,
    page_of,
    read_failures,
    read_view,
    select_failures,
    write_view,
)
from pet2rep_core.workflow.flags import find_flags
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.score_run import plan_scores, score_planned
from tests.phantom_cases import case_of

CASES = ("demo-01", "demo-02")
HOSTILE = "<script>alert(1)</script>姓名：王小明，56岁。肝右叶FDG代谢增高，SUVmax约 99.9。脾脏FDG代谢【】。"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Reports of the demo cases, without images: every baseline, every behaviour, every ending, all scored."""
    home: Path = tmp_path_factory.mktemp("failures")
    settings = Settings(home=home, workers=1)
    opened = open_store(settings)
    for case_id in CASES:
        opened.record_case(CaseRow(case_id, "demo", "demo", None, "0" * 64, {"sex": "M", "age": "60"}))
        for report in case_of(case_id).reports:
            opened.record_report(case_id, report, kind="reference", source="demo")
        for language in Language:
            generate_report(opened, case_id, "template", language)
            for behaviour in Behaviour:
                generate_report(opened, case_id, "scripted", language, behaviour=behaviour)
    for status, body in (
        (GenerationStatus.EMPTY, ""),
        (GenerationStatus.CUT, "脑：双侧大脑皮层FDG"),
        (GenerationStatus.REFUSED, "I cannot help."),
        (GenerationStatus.FAILED, ""),
        (GenerationStatus.DONE, HOSTILE),
    ):
        opened.record_run(RunRow(f"r-{status}", "odd", "fused", "0" * 64, Language.CHINESE))
        opened.record_generation(
            Generation(f"g-{status}", f"r-{status}", "demo-01", "odd", Language.CHINESE, status, body)
        )
    assert list(score_planned(opened, settings, plan_scores(opened, images=False)))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def table(store: Store) -> FailureTable:
    return read_failures(store)


def _counts(table: FailureTable, label: str) -> dict[str, int]:
    return count_failures(table, FailureView(models=(label,)))


# witness: the plan of mistakes of the scripted model (vlm/scripted.py), read in the four reports
@pytest.mark.parametrize(
    ("behaviour", "under", "not_under"),
    [
        (Behaviour.COPY, {"verbatim": 4}, ("missed", "invented", "other_state", "wrong_side", "wrong_suvmax")),
        (Behaviour.OMIT, {"missed": 4}, ("invented", "wrong_side")),
        (Behaviour.INVENT, {"invented": 4}, ("missed", "wrong_side", "wrong_suvmax", "verbatim")),
        (Behaviour.CONTRADICT, {"missed": 4}, ("invented",)),
        (Behaviour.MIXED, {"missed": 4, "invented": 4, "wrong_side": 4, "wrong_suvmax": 4}, ("verbatim",)),
    ],
)
def test_each_scripted_mistake_is_where_a_researcher_would_look(
    table: FailureTable, behaviour: Behaviour, under: dict[str, int], not_under: tuple[str, ...]
) -> None:
    counts = _counts(table, f"scripted (behaviour={behaviour})")
    assert {name: counts[name] for name in under} == under
    assert {name: counts[name] for name in not_under} == dict.fromkeys(not_under, 0)


def test_mistakes_are_found_in_the_organ_where_they_were_made(store: Store, table: FailureTable) -> None:
    """The scripted model names its mistakes; each omitted or invented organ finds its report."""
    asked = {"uptake invented": "invented", "side swapped": "wrong_side"}
    seen = 0
    for stored in store.generations():
        for mistake in stored.detail.get("mistakes", ()):
            name = asked.get(mistake["kind"])
            if name == "invented":
                found = select_failures(table, FailureView(filters=(name,), organ=mistake["organ"]))
                assert stored.generation.generation_id in set(found["generation_id"])
                seen += 1
    assert seen > 10


def test_the_template_is_a_copied_template_and_nothing_else_is(table: FailureTable) -> None:
    found = select_failures(table, FailureView(filters=("template",)))
    assert set(found["label"]) == {"template"}
    assert len(found) == 4


def test_how_a_generation_ended_is_a_filter_and_silence_misses_nothing(table: FailureTable) -> None:
    counts = _counts(table, "odd")
    assert {name: counts[name] for name in ("empty", "cut", "refused", "failed")} == dict.fromkeys(
        ("empty", "cut", "refused", "failed"), 1
    )
    missed = select_failures(table, FailureView(filters=("missed",), models=("odd",)))
    assert set(missed["status"]) <= {"done", "cut"}


@pytest.mark.parametrize("name", ["identity", "slots", "wrong_suvmax"])
def test_the_hostile_report_is_under_what_is_wrong_with_it(table: FailureTable, name: str) -> None:
    found = select_failures(table, FailureView(filters=(name,), models=("odd",)))
    assert "g-done" in set(found["generation_id"])


def test_flags_have_the_words_of_the_texts(store: Store) -> None:
    flags = {flag.kind: flag for flag in find_flags(store.scores("g-done"))}
    assert {one.text for one in flags["slots"].words} == {"【】"}
    for one in flags["identity"].words:
        assert one.side == "generated"
        assert HOSTILE[one.start : one.end] == one.text


def test_filters_must_all_hold_and_the_counts_say_what_is_left(table: FailureTable) -> None:
    one = select_failures(table, FailureView(filters=("missed",)))
    both = select_failures(table, FailureView(filters=("missed", "wrong_side")))
    assert 0 < len(both) < len(one)
    assert set(both["generation_id"]) <= set(one["generation_id"])
    assert count_failures(table, FailureView(filters=("missed",)))["wrong_side"] == len(both)
    assert count_failures(table, FailureView(filters=("missed",)))["missed"] == len(one)


@pytest.mark.parametrize(
    ("order", "column", "rising"),
    [("worst_ce", "ce_f1", True), ("longest", "characters", False), ("shortest", "characters", True)],
)
def test_an_order_puts_the_worst_first(table: FailureTable, order: str, column: str, rising: bool) -> None:
    values = select_failures(table, FailureView(filters=("missed",), order=order))[column].tolist()
    assert values == sorted(values, reverse=not rising)
    assert len(set(values)) > 3


def test_every_filter_names_columns_of_the_table(table: FailureTable) -> None:
    for one in FILTERS.values():
        assert {one.sort, *one.numbers} <= set(table.rows.columns)
    assert numbers_of(FailureView()) == ("ce_f1", "rougeL")


def test_a_view_comes_back_from_its_address(table: FailureTable) -> None:
    view = FailureView(
        ("wrong_side", "missed"), "lung", "worst_ce", ("template", "scripted (behaviour=omit)"), ("zh",), ("demo",), 3
    )
    assert read_view(write_view(view), table) == view
    assert write_view(FailureView()) == {}
    assert read_view({}, table) == FailureView()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"filter": ["mised"]}, "There is no filter named 'mised'"),
        ({"filter": ["longest"]}, "There is no filter named 'longest'"),
        ({"order": ["missed"]}, "There is no order named 'missed'"),
        ({"organ": ["<b>"]}, "There is no organ named '<b>'"),
        ({"model": ["gone"]}, "There is no model named 'gone'"),
        ({"dataset": ["gone"]}, "There is no dataset named 'gone'"),
    ],
)
def test_an_address_that_asks_for_what_there_is_not_is_refused(
    table: FailureTable, address: dict[str, list[str]], words: str
) -> None:
    with pytest.raises(UnknownNameError, match=words):
        read_view(address, table)


@pytest.mark.parametrize(("page", "shown"), [(1, 1), (2, 2), (10**6, 3)])
def test_a_page_has_twelve_and_exists(table: FailureTable, page: int, shown: int) -> None:
    rows = select_failures(table, FailureView())
    here, view, pages = page_of(rows, FailureView(page=page))
    assert (view.page, pages) == (shown, 3)  # 2 cases x 2 languages x (template + 5 behaviours) + 5 endings = 29
    assert len(here) == (12 if shown < 3 else 29 - 2 * 12)


def test_a_new_generation_makes_a_new_version_and_is_counted_as_unscored(tmp_path: Path) -> None:
    opened = open_store(Settings(home=tmp_path / "home", workers=1))
    assert read_failures(opened).rows.empty
    opened.record_case(CaseRow("a", "d", "l", None, "0" * 64))
    before = opened.scores_version()
    opened.record_run(RunRow("r", "m", "fused", "0" * 64, Language.ENGLISH))
    opened.record_generation(Generation("g", "r", "a", "m", Language.ENGLISH, GenerationStatus.DONE, "Liver."))
    assert opened.scores_version() != before
    assert read_failures(opened).unscored == 1
    opened.close()
