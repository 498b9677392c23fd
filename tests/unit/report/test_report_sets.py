"""The extractor on the development set: sentences and whole reports labelled by hand."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from pet2rep_core.records import Language
from pet2rep_core.report.uptake import extract_findings_uptake, extract_uptake
from tests.report_sets.labels import LabelledText, differences, read_label, read_reports, read_sentences

DEVELOPED_ON = tuple(f"sentences_{number}.toml" for number in (1, 2, 3, 5, 7, 8, 9, 10, 11, 12))
HELD_OUT = ("sentences_4.toml", "sentences_6.toml")
REPORTS_DEVELOPED_ON = tuple(f"reports_{number}.toml" for number in (1, 2, 4, 5, 6, 7, 8))
REPORTS_HELD_OUT = ("reports_3.toml",)

SENTENCES = [row for name in DEVELOPED_ON for row in read_sentences(name)]
HELD_OUT_SENTENCES = [row for name in HELD_OUT for row in read_sentences(name)]
REPORTS = [row for name in REPORTS_DEVELOPED_ON for row in read_reports(name)]
HELD_OUT_REPORTS = [row for name in REPORTS_HELD_OUT for row in read_reports(name)]


def found_in(row: LabelledText, *, report: bool):
    extract = extract_findings_uptake if report else extract_uptake
    return {
        item.organ: (set(item.states), item.laterality and item.laterality.value, item.suv_max)
        for item in extract(row.text, row.language)
    }


@pytest.mark.parametrize("row", SENTENCES, ids=[row.text[:40] for row in SENTENCES])
def test_sentence(row):
    # Witness: labelled by hand, before the rules were run on the sentence.
    assert list(differences(row, found_in(row, report=False))) == []


@pytest.mark.parametrize("row", REPORTS, ids=[f"{row.where} {n}" for n, row in enumerate(REPORTS)])
def test_whole_report(row):
    # Witness: labelled by hand, before the rules were run on the report.
    assert list(differences(row, found_in(row, report=True))) == []


@pytest.mark.parametrize("language", list(Language))
def test_the_held_out_part_is_read_about_as_well(language):
    # Nobody looked at these while writing rules, so they are counted together and not one by one.
    counts = Counter()
    rows = [(row, False) for row in HELD_OUT_SENTENCES] + [(row, True) for row in HELD_OUT_REPORTS]
    for row, report in rows:
        if row.language is not language:
            continue
        found = found_in(row, report=report)
        counts.update(rows=1, fully_right=not list(differences(row, found)))
        for organ in {*row.organs, *found} - {one.organ for one in row.organs.values() if one.optional}:
            true = set(row.organs[organ].states) if organ in row.organs else set()
            said = found[organ][0] if organ in found else set()
            counts.update(both=len(true & said), only_said=len(said - true), only_true=len(true - said))
    assert counts["both"] / (counts["both"] + counts["only_said"]) > 0.93
    assert counts["both"] / (counts["both"] + counts["only_true"]) > 0.90
    assert counts["fully_right"] / counts["rows"] > 0.8


def test_the_set_is_as_large_as_it_says_and_in_both_languages():
    older = tomllib.loads((Path(__file__).parent / "uptake_sentences.toml").read_text(encoding="utf-8"))
    assert "zh" in older
    sentences = [*SENTENCES, *HELD_OUT_SENTENCES]
    reports = [*REPORTS, *HELD_OUT_REPORTS]
    assert len(sentences) >= 1290
    assert len({row.text for row in sentences}) == len(sentences)
    assert len(reports) >= 38
    for rows, least in ((sentences, 300), (reports, 10)):
        assert all(sum(row.language is language for row in rows) >= least for language in Language)


def test_a_label_is_read_as_its_grammar_says():
    label = read_label("lung=ia/R/5.2,7 ?liver=n thyroid=i/~L/~")
    assert [sorted(label["lung"].states), label["lung"].side, label["lung"].suv_max] == [
        ["absent", "increased"], "right", (5.2, 7.0),
    ]  # fmt: skip
    assert label["liver"].optional
    assert (label["thyroid"].any_side, label["thyroid"].any_suv) == (True, True)


def test_a_difference_is_found():
    row = LabelledText(Language.CHINESE, "右肺结节，FDG代谢增高，SUVmax 5.2。", read_label("lung=d/L/5"), "here")
    assert list(differences(row, found_in(row, report=False))) == [
        "lung: states ['increased'], not ['decreased']",
        "lung: side right, not left",
        "lung: SUVmax (5.2,), not (5.0,)",
    ]
    unlabelled = LabelledText(row.language, row.text, {}, "here")
    assert "nothing expected" in next(differences(unlabelled, found_in(row, report=False)))
