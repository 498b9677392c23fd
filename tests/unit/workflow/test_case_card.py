"""What a case card shows: sentences with their marks, scores with signatures, key slices, and nobody's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pet2rep_core.errors import StoreError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.records import Generation, GenerationStatus, Language
from pet2rep_core.settings import Settings
from pet2rep_core.store import RunRow, Store
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.case_card import MOST_CHARACTERS, CaseCard, read_case_card
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.score import score_generation

LONG = "Patient name: John Smith. " + "The liver shows increased uptake and " * 30 + "the spleen is normal."


def _card(store: Store, settings: Settings, case_id: str, generation_id: str) -> CaseCard:
    return read_case_card(store, settings, read_display(), case_id, generation_id)


def _write(store: Store, case_id: str, status: GenerationStatus, body: str, language: Language) -> str:
    store.record_run(RunRow("r", "m", "fused", "0" * 64, language))
    store.record_generation(Generation("g", "r", case_id, "m", language, status, body, "cut"))
    score_generation(store, "g")
    return "g"


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("language", "behaviour", "kind"),
    [(Language.CHINESE, Behaviour.INVENT, "invented"), (Language.ENGLISH, Behaviour.OMIT, "missed")],
)
def test_every_mark_lies_on_words_of_its_report(
    store: Store, settings: Settings, language: Language, behaviour: Behaviour, kind: str
) -> None:
    generation = generate_report(store, "a", "scripted", language, behaviour=behaviour)
    score_generation(store, generation.generation_id)
    card = _card(store, settings, "a", generation.generation_id)
    assert kind in {flag.kind for flag in card.flags}
    assert kind in {mark.kind for one in (*card.generated, *card.reference) for mark in one.marks}
    for one in card.generated:
        assert one.text in generation.text
        assert all(one.text[mark.start : mark.end].strip() for mark in one.marks)
    assert len(card.pictures) == 3  # the key slices of a case with volumes
    assert {score.metric for score in card.scores} >= {"ce_f1", "rougeL", "hallucinations"}
    assert all(score.signature.rpartition("|v:")[2].isdigit() for score in card.scores)


@pytest.mark.usefixtures("study")
def test_a_long_sentence_is_cut_and_its_marks_stay_inside(store: Store, settings: Settings) -> None:
    card = _card(store, settings, "c", _write(store, "c", GenerationStatus.DONE, LONG, Language.ENGLISH))
    assert any(one.cut for one in card.generated)
    for one in card.generated:
        assert len(one.text) <= MOST_CHARACTERS
        ends = [(mark.start, mark.end) for mark in one.marks]
        assert ends == sorted(ends)
        assert all(0 <= start < end <= len(one.text) for start, end in ends)
    assert "identity" in {mark.kind for one in card.generated for mark in one.marks}
    assert card.pictures == ()


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("status", [GenerationStatus.EMPTY, GenerationStatus.REFUSED, GenerationStatus.FAILED])
def test_what_is_no_report_has_no_flags(store: Store, settings: Settings, status: GenerationStatus) -> None:
    body = "I cannot help." if status is GenerationStatus.REFUSED else ""
    card = _card(store, settings, "c", _write(store, "c", status, body, Language.ENGLISH))
    assert card.flags == ()
    assert card.whole == {"reference", "generated"}
    assert [one.text for one in card.generated] == ([] if not body else ["I cannot help"])


@pytest.mark.usefixtures("study")
def test_a_card_of_another_case_is_refused(store: Store, settings: Settings) -> None:
    generation = generate_report(store, "a", "template", Language.ENGLISH)
    with pytest.raises(StoreError, match=r"The case 'b' has no generation 'g-") as caught:
        _card(store, settings, "b", generation.generation_id)
    assert caught.value.hint


def test_a_changed_reference_leaves_no_mark_in_the_wrong_place(store: Store, settings: Settings, study: Path) -> None:
    """The evidence of a score counts in the reference of its day."""
    assert study.is_dir()
    [report] = [r.report for r in store.reports("c") if r.kind == "reference"]
    generation_id = _write(store, "c", GenerationStatus.DONE, "Liver: normal uptake.", report.language)
    assert any(mark for one in _card(store, settings, "c", generation_id).reference for mark in one.marks)
    moved = replace(report, text="Note. " + report.text)
    [stored] = [r for r in store.reports("c") if r.kind == "reference"]
    store.record_report("c", moved, kind="reference", source=stored.source)
    for one in _card(store, settings, "c", generation_id).reference:
        assert one.text in moved.text
        assert all(one.text[mark.start : mark.end] in report.text for mark in one.marks)
