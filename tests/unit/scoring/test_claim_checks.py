"""Sides, values, omissions and hallucinations, each table read by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.records import Language
from pet2rep_core.scoring.claims import (
    Quantity,
    ValueStatus,
    compare_sides,
    compare_values,
    find_hallucinations,
    find_omissions,
    values_agree,
    values_f1,
)
from pet2rep_core.scoring.clinical import score_clinical
from pet2rep_core.scoring.read_text import ReadText

ZH, EN = Language.CHINESE, Language.ENGLISH


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "expected"),
    [
        (ZH, "右肺上叶结节，FDG代谢增高。", "左肺上叶结节，FDG代谢增高。", [("lung", "opposite")]),
        (ZH, "右肺上叶结节，FDG代谢增高。", "右肺下叶结节，FDG代谢增高。", [("lung", "same")]),
        (ZH, "右肺上叶结节，FDG代谢增高。", "肺内结节，FDG代谢增高。", []),
        (ZH, "右肺上叶结节，FDG代谢增高。", "左肺FDG代谢未见异常。", []),
        (ZH, "双侧颈部淋巴结FDG代谢增高。", "右侧颈部淋巴结FDG代谢增高。", [("cervical_ln", "partly")]),
        # lobes of the liver are no sides
        (ZH, "肝右叶FDG代谢增高。", "肝左叶FDG代谢增高。", []),
        (ZH, "左侧肾上腺FDG代谢增高。", "右侧肾上腺FDG代谢增高。", [("adrenal", "opposite")]),
        (
            EN, "Increased FDG uptake in the left kidney.", "Increased FDG uptake in the right kidney.",
            [("kidney", "opposite")],
        ),
        (EN, "Increased FDG uptake in the left kidney.", "Increased FDG uptake in the kidney.", []),
        (EN, "Increased FDG uptake in the left lung.", "Increased FDG uptake in both lungs.", [("lung", "partly")]),
        (EN, "The left thyroid lobe is hypermetabolic.", "The left thyroid lobe is normal in uptake.", []),
    ],
)  # fmt: skip
def test_sides(language, reference, hypothesis, expected):
    checks = compare_sides(ReadText(hypothesis, language), ReadText(reference, language))
    assert [(one.organ, one.agreement.value) for one in checks] == expected
    for one in checks:
        assert all(reference[e.start : e.end] == e.text for e in one.reference_evidence)
        assert all(hypothesis[e.start : e.end] == e.text for e in one.hypothesis_evidence)


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "expected"),
    [
        (ZH, "肝脏FDG代谢增高，SUVmax 8.0。", "肝脏FDG代谢增高，SUVmax 8.4。", ["matched"]),
        (ZH, "肝脏FDG代谢增高，SUVmax 8.0。", "肝脏FDG代谢增高，SUVmax 8.5。", ["missing", "invented"]),
        (ZH, "肝脏FDG代谢增高，SUVmax 8.0。", "肝脏FDG代谢增高。", ["missing"]),
        (ZH, "肝脏FDG代谢增高。", "肝脏FDG代谢增高，SUVmax 8.0。", ["invented"]),
        (
            ZH,
            "肝脏FDG代谢增高，SUVmax 8.0。脾脏FDG代谢增高，SUVmax 3.0。",
            "肝脏FDG代谢增高，SUVmax 3.0。",
            ["missing", "of another organ", "missing"],
        ),
        # said in the findings and again in the impression: one value
        (
            ZH,
            "影像所见：肝脏FDG代谢增高，SUVmax 8.0。\n影像诊断：肝脏FDG代谢增高，SUVmax 8.0。",
            "肝脏FDG代谢增高，SUVmax 8.0。",
            ["matched"],
        ),
        # said in the impression alone is said
        (
            ZH,
            "影像所见：肝脏FDG代谢增高。\n影像诊断：肝脏FDG代谢增高，SUVmax 8.0。",
            "肝脏FDG代谢增高，SUVmax 8.0。",
            ["matched"],
        ),
        (
            EN,
            "There is increased FDG uptake in the liver, SUVmax 8.0.",
            "There is increased FDG uptake in the liver, SUVmax 7.6.",
            ["matched"],
        ),
        (EN, "The liver shows increased uptake.", "The liver shows normal uptake.", []),
    ],
)
def test_suv_max(language, reference, hypothesis, expected):
    checks = compare_values(ReadText(hypothesis, language), ReadText(reference, language), Quantity.SUV_MAX)
    assert [one.status.value for one in checks] == expected
    for one in checks:
        for stated, text in ((one.reference, reference), (one.hypothesis, hypothesis)):
            if stated is not None:
                assert text[stated.quote.start : stated.quote.end] == stated.quote.text


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("右肺结节，大小约1.8cm×1.5cm，FDG代谢增高。", "右肺结节，直径约1.9cm，FDG代谢增高。", ["matched"]),
        ("右肺结节，大小约1.8cm×1.5cm，FDG代谢增高。", "右肺结节，大小约1.5cm×1.8cm，FDG代谢增高。", ["matched"]),
        (
            "右肺结节，大小约1.8cm×1.5cm，FDG代谢增高。", "右肺结节，大小约1.8cm×0.9cm，FDG代谢增高。",
            ["missing", "invented"],
        ),
        ("右肺结节，大小约18mm×15mm，FDG代谢增高。", "右肺结节，大小约1.8cm×1.5cm，FDG代谢增高。", ["matched"]),
    ],
)  # fmt: skip
def test_sizes(reference, hypothesis, expected):
    checks = compare_values(ReadText(hypothesis, ZH), ReadText(reference, ZH), Quantity.SIZE)
    assert [one.status.value for one in checks] == expected


@pytest.mark.parametrize(
    ("quantity", "reference", "hypothesis", "agree"),
    [
        # Witness: by hand. 5 % of 8 is 0.4, which is more than 0.1; 5 % of 1 is less.
        (Quantity.SUV_MAX, [8.0], [8.4], True),
        (Quantity.SUV_MAX, [8.0], [7.59], False),
        (Quantity.SUV_MAX, [1.0], [1.1], True),
        (Quantity.SUV_MAX, [1.0], [1.2], False),
        # 10 % of 30 mm is 3, of 10 mm is 1, and 2 mm is allowed
        (Quantity.SIZE, [30.0, 10.0], [33.0, 12.0], True),
        (Quantity.SIZE, [30.0, 10.0], [33.0, 12.1], False),
        (Quantity.SIZE, [30.0], [33.5], False),
    ],
)
def test_tolerance(quantity, reference, hypothesis, agree):
    assert values_agree(reference, hypothesis, quantity) is agree


def test_f1_of_values():
    said, true = "肝脏FDG代谢增高，SUVmax 8.0。胃FDG代谢增高，SUVmax 5.0。", "肝脏FDG代谢增高，SUVmax 8.0。"
    checks = compare_values(ReadText(said, ZH), ReadText(true, ZH), Quantity.SUV_MAX)
    # Witness: by hand. One matched, one invented: 2 / (2 + 1).
    assert [one.status for one in checks] == [ValueStatus.MATCHED, ValueStatus.INVENTED]
    assert values_f1(checks) == pytest.approx(2 / 3)
    assert values_f1(()) is None


@pytest.mark.parametrize(
    ("reference", "hypothesis", "omitted", "invented"),
    [
        ("肝脏FDG代谢增高。", "肝脏FDG代谢未见异常。", ["liver"], []),
        ("肝脏FDG代谢增高。", "脾脏FDG代谢未见异常。", ["liver"], []),
        ("肝脏FDG代谢增高。", "肝脏FDG代谢减低。", [], []),
        ("肝脏FDG代谢未见异常。", "肝脏FDG代谢增高。", [], ["liver"]),
        # the impression counts for the one who would be accused
        ("肝脏FDG代谢增高。", "影像所见：脾脏FDG代谢未见异常。\n影像诊断：肝脏FDG代谢增高。", [], []),
        ("影像所见：脾脏FDG代谢未见异常。\n影像诊断：肝脏FDG代谢增高。", "肝脏FDG代谢增高。", [], []),
        ("膀胱FDG呈生理性浓聚。", "膀胱FDG代谢未见异常。", [], []),
    ],
)
def test_omissions_and_hallucinations(reference, hypothesis, omitted, invented):
    said, true = ReadText(hypothesis, ZH), ReadText(reference, ZH)
    cells = score_clinical(hypothesis, reference, ZH).cells
    assert [one.organ for one in find_omissions(said, true, cells)] == omitted
    assert [one.organ for one in find_hallucinations(said, true, cells)] == invented
    # what is omitted one way round is invented the other way round
    turned = score_clinical(reference, hypothesis, ZH).cells
    assert [one.organ for one in find_hallucinations(true, said, turned)] == omitted


@given(
    st.lists(
        st.sampled_from(["肝脏FDG代谢增高，SUVmax 8.0。", "右肺FDG代谢增高，大小约2.0cm。", "脾脏FDG代谢未见异常。"]),
        max_size=4,
    )
)
def test_a_report_against_itself_has_no_fault(sentences):
    text = ReadText("\n".join(sentences), ZH)
    cells = score_clinical(text.text, text.text, ZH).cells
    assert all(one.agreement.value == "same" for one in compare_sides(text, text))
    for quantity in Quantity:
        assert {one.status for one in compare_values(text, text, quantity)} <= {ValueStatus.MATCHED}
    assert find_omissions(text, text, cells) == find_hallucinations(text, text, cells) == ()
