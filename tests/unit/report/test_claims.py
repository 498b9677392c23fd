"""Sides, SUVmax values and sizes that a text ties to organs."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.records import Language, UptakeState
from pet2rep_core.report.mentions import Side
from pet2rep_core.report.sizes import find_sizes
from pet2rep_core.report.uptake import extract_findings_uptake, extract_uptake
from tests.report_sets.labels import read_sentences

ZH, EN = Language.CHINESE, Language.ENGLISH
ROWS = [row for n in (1, 2, 3) for row in read_sentences(f"sentences_{n}.toml")]


def only(text, language=ZH):
    (item,) = extract_uptake(text, language)
    return item


# Witness of every table: read by hand.
@pytest.mark.parametrize(
    ("text", "language", "side"),
    [
        ("左肺上叶结节，FDG代谢增高。", ZH, Side.LEFT),
        ("左肾上腺增粗，右肾上腺结节，FDG代谢均增高。", ZH, Side.BILATERAL),
        ("双侧肾上腺增粗，右侧FDG代谢增高。", ZH, Side.RIGHT),
        ("双侧扁桃体FDG代谢增高，左侧为著。", ZH, Side.BILATERAL),
        ("右侧颈部、锁骨上淋巴结FDG代谢增高。", ZH, Side.RIGHT),
        ("左侧声带FDG代谢较右侧增高。", ZH, Side.LEFT),
        ("L3椎体及右侧髂骨FDG代谢增高。", ZH, Side.RIGHT),
        ("L3椎体FDG代谢增高。", ZH, None),
        ("肝右叶结节FDG代谢增高。", ZH, None),
        ("右肾FDG代谢未见异常。", ZH, None),
        ("Hypermetabolic RUL nodule.", EN, Side.RIGHT),
        ("Uptake is increased in the left adrenal gland relative to the right.", EN, Side.LEFT),
        ("Tonsillar uptake is increased, right greater than left.", EN, Side.BILATERAL),
        ("Hypermetabolic lesion in the left hepatic lobe.", EN, None),
    ],
)
def test_side_of_the_positive_lesions(text, language, side):
    assert only(text, language).laterality is side


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("右肺结节，大小约2.3cm×1.8cm，CT值35HU，FDG代谢增高，SUVmax约5.2，SUVmean 3.1。", ZH, (5.2,)),
        ("右肺结节FDG代谢增高，SUVmax 3.2-5.6。", ZH, (3.2, 5.6)),
        ("右肺结节FDG代谢仍高于本底，SUVmax由8.2降至3.1。", ZH, (3.1,)),
        ("右肺结节FDG代谢增高，SUVmax 3.1（前次 8.2）。", ZH, (3.1,)),
        ("右肺结节FDG代谢增高（SUVmax 5.2），高于肝脏（SUVmax 3.0）。", ZH, (5.2,)),
        ("右肺结节，FDG代谢增高。SUVmax约5.2。", ZH, (5.2,)),
        ("右肺结节FDG代谢增高，SUVmax 5.2，延迟显像SUVmax 6.1。", ZH, (5.2, 6.1)),
        ("右肺结节FDG代谢未见增高，SUVmax 0.9。", ZH, (0.9,)),
        ("FDG-avid lung nodule, 1.4 x 1.1 cm, SUVmax 4.9 (previously 7.2).", EN, (4.9,)),
        ("FDG-avid lung nodule, SUVmax 4.9, PSA 12.3, blood pool SUVmax 2.1.", EN, (4.9,)),
    ],
)
def test_suv_max_of_this_study(text, language, values):
    assert only(text, language).suv_max == values


def test_respectively_gives_each_organ_its_own_value():
    found = extract_uptake("肝脏、脾脏FDG代谢增高，SUVmax分别为5.1、6.2。", ZH)
    assert [(item.organ, item.suv_max) for item in found] == [("liver", (5.1,)), ("spleen", (6.2,))]


def test_a_shared_value_belongs_to_every_organ_of_the_list():
    found = extract_uptake("肝脏、脾脏FDG代谢增高，SUVmax约5.1。", ZH)
    assert [item.suv_max for item in found] == [(5.1,), (5.1,)]


def test_a_lesion_with_nothing_but_a_high_suv_max_is_increased():
    item = only("右肺上叶结节，SUVmax 8.2。")
    assert item.states == (UptakeState.INCREASED,)
    assert (item.evidence[0].text, item.evidence[0].rule) == ("SUVmax 8.2", "SUVmax alone")
    assert extract_uptake("右肺上叶结节，SUVmax 1.2。", ZH) == ()
    assert extract_uptake("肝脏SUVmax 3.2。", ZH) == ()


@pytest.mark.parametrize(
    ("text", "mm"),
    [
        ("大小约2.3cm×1.8cm", [(23.0, 18.0)]),
        ("约4.2×3.5×3.0cm", [(42.0, 35.0, 30.0)]),
        ("直径约9mm", [(9.0,)]),
        ("measures 1.4 x 1.1 cm", [(14.0, 11.0)]),
        ("a 6-mm nodule", [(6.0,)]),
        ("0.5-1.2cm", [(5.0, 12.0)]),
        ("层厚5mm，SUVmax 5.2", []),
        ("SUVmax 5.2×3.1", []),
        ("now 2.1 cm (previously 4.0 cm)", [(21.0,)]),
        ("原1.1cm×0.8cm", []),
    ],
)
def test_sizes(text, mm):
    assert [size.mm for size in find_sizes(text, 0, len(text))] == mm


def test_a_size_belongs_to_the_lesion_before_it():
    found = extract_uptake("肝右叶结节，2.3cm×1.8cm，FDG代谢增高；脾脏FDG代谢未见异常。", ZH)
    assert [(item.organ, item.sizes_mm) for item in found] == [("liver", ((23.0, 18.0),)), ("spleen", ())]


def test_claims_count_from_the_start_of_the_whole_report():
    text = "影像所见：右肺ＳＵＶｍａｘ５．２，结节1.5cm，FDG代谢增高。\n影像诊断：SUVmax 9.9。"
    (item,) = extract_findings_uptake(text, ZH)
    (suv,), (size,) = item.suv_claims, item.size_claims
    assert (text[suv.start : suv.end], suv.value) == ("５．２", 5.2)
    assert (text[size.start : size.end], size.mm) == ("1.5cm", (15.0,))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=5), st.sampled_from(["", "\n", " "]))
def test_every_claim_points_at_its_own_digits(rows, gap):
    text = gap.join(row.text for row in rows)
    for item in extract_uptake(text, rows[0].language):
        assert len(set(item.suv_max)) == len(item.suv_max)
        for claim in item.suv_claims:
            assert float(text[claim.start : claim.end]) == claim.value
        for size in item.size_claims:
            assert 0 <= size.start < size.end <= len(text)
            assert all(length >= 0 for length in size.mm)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ROWS), st.sampled_from(ROWS))
def test_a_side_is_only_given_where_uptake_is_positive(one, other):
    for item in extract_uptake(one.text + "\n" + other.text, one.language):
        assert item.laterality is None or item.states != (UptakeState.NORMAL,)


HOSTILE_ZH = (
    "代谢",
    "放射性",
    "肝脏、",
    "较前",
    "1.2cm×",
    "左侧",
    "FDG代谢轻度增高，",
    "双肺SUVmax5.1，",
    "未见明显异常",
)
HOSTILE_EN = ("is ", "uptake in the liver, ", "increased and ", "no ", "SUVmax 5.1 ", "left ", "decreased in size ")


def seconds(text, language):
    began = time.process_time()
    extract_uptake(text, language)
    return time.process_time() - began


@pytest.mark.parametrize(
    ("piece", "language"), [*((piece, ZH) for piece in HOSTILE_ZH), *((piece, EN) for piece in HOSTILE_EN)]
)
def test_a_long_text_of_one_repeated_piece_takes_no_longer_than_its_length(piece, language):
    seconds(piece * 10, language)
    # 30,000 characters of the slowest take about 2 s; cost that grew with the square would take minutes
    assert seconds((piece * 30_000)[:30_000], language) < 12


def test_a_report_of_100_000_characters_takes_seconds():
    text = "\n".join(row.text for row in ROWS if row.language is ZH)
    assert seconds((text * 20)[:100_000], ZH) < 20


@pytest.mark.parametrize(
    ("text", "language", "organ", "side", "suv_max"),
    [
        ("多发肋骨（左侧3、5，右侧7）代谢增高，SUVmax 6.1。", ZH, "bone", "bilateral", (6.1,)),
        ("多处肋骨（右3、6；左4）代谢增高，SUVmax 4.2。", ZH, "bone", "bilateral", (4.2,)),
        ("Multiple ribs (left 3rd, 5th; right 7th) are FDG avid, SUVmax 4.4.", EN, "bone", "bilateral", (4.4,)),
        ("There is an avid right and nonavid left adrenal nodule.", EN, "adrenal", "right", ()),
        ("脾脏代谢高于肝脏（SUVmax 2.6），SUVmax 3.3。", ZH, "spleen", None, (3.3,)),
        ("脾脏代谢高于肝脏（SUVmax 4.1）。", ZH, "spleen", None, (4.1,)),
        ("腹膜后淋巴结SUVmax 6.1，肝脏SUVmax 2.8，Deauville 4分。", ZH, "abdominopelvic_ln", None, (6.1,)),
        ("Diffusely avid spleen (SUVmax 7.0, liver 3.1).", EN, "spleen", None, (7.0,)),
        ("Retroperitoneal nodes, uptake greater than liver (SUVmax 3.1), SUVmax 5.6.", EN, "abdominopelvic_ln", None,
         (5.6,)),
        ("右肺结节1.1cm，SUVmax 3.3（原2.0cm，SUVmax 7.7）。", ZH, "lung", "right", (3.3,)),
        ("右侧锁骨上、纵隔（2R、4R）及右肺门淋巴结，SUVmax依次为5.1、6.2、7.3，代谢增高。", ZH, "cervical_ln", "right",
         (5.1,)),
        ("代谢增高灶：①左肺上叶，SUVmax 5.0；②右肺中叶，SUVmax 3.0。", ZH, "lung", "bilateral", (5.0, 3.0)),
        ("双侧腮腺生理性摄取，右侧腮腺另见结节，SUVmax 5.8。", ZH, "salivary_gland", "right", (5.8,)),
        ("Pelvic nodes: right iliac 1 cm, SUVmax 6.0; left iliac 1 cm, SUVmax 3.9.", EN, "abdominopelvic_ln",
         "bilateral", (6.0, 3.9)),
    ],
)  # fmt: skip
def test_sides_and_values_of_lists_and_comparisons(text, language, organ, side, suv_max):
    # Witness: read by hand.
    found = {item.organ: (item.laterality, item.suv_max) for item in extract_uptake(text, language)}
    assert found[organ] == (side, suv_max)
    assert organ == "liver" or "liver" not in found
