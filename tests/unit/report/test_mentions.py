"""What sentences point at, against a table written by hand; all sentences are invented."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.records import Language
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mentions import Mention, Side, find_mentions

# sentence | organ[:side]=words; ... | SUVmax values (a trailing "-" marks an earlier study) | slices
CHINESE = """
右肺上叶见一软组织肿块，SUVmax为12.6。 | lung:R=右肺上叶 | 12.6 |
左肺下叶外基底段结节，SUVmax约为2.3。 | lung:L=左肺下叶外基底段 | 2.3 |
双肺野清晰。 | lung:B=双肺 | |
肝右叶见低密度灶，最大SUV值3.2。 | liver:R=肝右叶 | 3.2 |
肝脏FDG摄取未见异常。 | liver=肝脏 | |
左侧肾上腺区见一结节，SUVmax为10.8。 | adrenal:L=左侧肾上腺区 | 10.8 |
双肾形态正常。 | kidney:B=双肾 | |
右肾囊肿，FDG摄取缺失。 | kidney:R=右肾 | |
腰3椎体骨质破坏，SUVmax为11.2。 | bone=腰3椎体骨质破坏 | 11.2 |
L3椎体见FDG浓聚，SUVmax 7.5。 | bone=L3椎体 | 7.5 |
胸5-7椎体代谢增高，SUVmax约4.1-6.2。 | bone=胸5-7椎体 | 4.1 6.2 |
右侧第5肋骨见代谢增高灶，SUV最大值为3.9。 | bone:R=右侧第5肋骨 | 3.9 |
左侧髂骨高代谢灶，SUV max：8.05。 | bone:L=左侧髂骨 | 8.05 |
右肺门及纵隔多发肿大淋巴结，SUVmax分别为5.2、6.3。 | thoracic_ln:R=右肺门; thoracic_ln=纵隔 | 5.2 6.3 |
双侧颈部及锁骨上区未见肿大淋巴结。 | cervical_ln:B=双侧颈部; cervical_ln:B=锁骨上区 | |
左侧腋窝淋巴结肿大，SUVmax=4.4。 | thoracic_ln:L=左侧腋窝 | 4.4 |
腹膜后见肿大淋巴结，最大标准摄取值（SUVmax）为9.1。 | abdominopelvic_ln=腹膜后 | 9.1 |
胃窦壁增厚，SUVmax 5.5（第120层）。 | stomach=胃窦 | 5.5 | 120
乙状结肠肿块，SUVmax约13。 | bowel=乙状结肠 | 13 |
脾脏摄取增高，高于肝脏，SUVmax为6.5。 | spleen=脾脏; liver!=肝脏 | 6.5 |
右侧额颞叶FDG摄取减低。 | brain:R=右侧额颞叶 | |
双侧腭扁桃体对称。 | oropharynx_tonsil:B=双侧腭扁桃体 | |
甲状腺左叶结节，SUVmax＝3.3。 | thyroid:L=甲状腺左叶 | 3.3 |
膀胱内见生理性浓聚。 | bladder=膀胱 | |
前列腺外周带结节，SUVmax 6.0，SUVmean 4.1。 | prostate=前列腺外周带 | 6.0 |
右肺结节，SUVpeak 5.0。 | lung:R=右肺 | |
右肺下叶结节，原SUVmax 8.1，现SUVmax 3.2。 | lung:R=右肺下叶 | 8.1- 3.2 |
左肺上叶肿块，SUVmax由12.4降至5.6。 | lung:L=左肺上叶 | 12.4- 5.6 |
肝左叶结节SUVmax 5.2，大小约2.3cm×1.5cm。 | liver:L=肝左叶 | 5.2 |
胰头肿块，SUVmax 4.8，延迟显像SUVmax 6.1。 | pancreas=胰头 | 4.8 6.1 |
胰尾肿块，SUVmax 4.8，延迟显像6.1。 | pancreas=胰尾 | 4.8 6.1 |
右上肺见肿块（层面80）。 | lung:R=右上肺 | | 80
左肺结节，见图像45。 | lung:L=左肺 | | 45
肝、脾SUVmax分别为2.1和1.8。 | liver=肝; spleen=脾 | 2.1 1.8 |
右侧髂外血管旁淋巴结肿大，SUVmax为7.4。 | abdominopelvic_ln:R=右侧髂外血管旁 | 7.4 |
食管旁淋巴结SUVmax 3.6。 | thoracic_ln=食管旁 | 3.6 |
左侧乳腺外侧见肿块，SUVmax为9.0。 | breast:L=左侧乳腺 | 9.0 |
右侧附件区囊性灶。 | uterus_ovary:R=右侧附件区 | |
肿块直径约3cm左右，位于肝脏。 | liver=肝脏 | |
扫描层厚5mm。 | | |
肝脏CT值约60HU，SUV值约2.4。 | liver=肝脏 | 2.4 |
静脉注射18F-FDG后行颅顶至股骨中段显像。 | | |
前纵隔见肿块，SUVmax 13.1。 | thoracic_ln=前纵隔 | 13.1 |
第80-85层见左肾囊肿。 | kidney:L=左肾 | | 80-85
"""
ENGLISH = """
A mass in the right upper lobe, SUVmax 12.6. | lung:R=right upper lobe | 12.6 |
Nodule in the left lower lobe with a maximum SUV of 5.1. | lung:L=left lower lobe | 5.1 |
Both lungs are clear. | lung:B=Both lungs | |
The liver is normal. | liver=liver | |
Lesion in the right hepatic lobe (SUVmax = 7.25). | liver:R=right hepatic lobe | 7.25 |
A nodule of the left adrenal gland shows uptake, SUV max up to 10.8. | adrenal:L=left adrenal gland | 10.8 |
The kidneys show normal excretion. | kidney=kidneys | |
Cyst of the left kidney. | kidney:L=left kidney | |
Osteolytic lesion of the L3 vertebral body, SUVmax 11.2. | bone=L3 vertebral | 11.2 |
Right hilar and pretracheal nodes, SUV max 10.2. | thoracic_ln:R=Right hilar; thoracic_ln:R=pretracheal | 10.2 |
A mass of the anterior mediastinum, SUVmax 13.1. | thoracic_ln=anterior mediastinum | 13.1 |
Left axilla, SUVmax 3.1 to 5.6. | thoracic_ln:L=Left axilla | 3.1 5.6 |
Left cervical and submental nodes. | cervical_ln:L=Left cervical; cervical_ln:L=submental | |
The spleen is above the liver in uptake, SUVmax 6.5. | spleen=spleen; liver!=liver | 6.5 |
FDG-avid focus in the right ilium, SUVmax 11.2 (Im 45). | bone:R=right ilium | 11.2 | 45
Mass of the sigmoid colon, SUVmax 13.0 on slice 80. | bowel=sigmoid colon | 13.0 | 80
Left breast mass with SUVmax of 9.0, SUVmean 5.5. | breast:L=Left breast | 9.0 |
The SUVmax of the liver and spleen were 2.1 and 1.8, respectively. | liver=liver; spleen=spleen | |
The liver and spleen had SUVmax of 2.1 and 1.8, respectively. | liver=liver; spleen=spleen | 2.1 1.8 |
Right lower lobe nodule, SUVmax 3.2, previously SUVmax 8.1. | lung:R=Right lower lobe | 3.2 8.1- |
Left upper lobe mass, SUVmax decreased from 12.4 to 5.6. | lung:L=Left upper lobe | 12.4- 5.6 |
Retroperitoneal adenopathy, SUV 4.0. | abdominopelvic_ln=Retroperitoneal | 4.0 |
Mediastinal lymph nodes, maximum standardized uptake value (SUVmax) of 9.1. | thoracic_ln=Mediastinal | 9.1 |
Physiological uptake of the bladder. | bladder=bladder | |
A lesion of the pancreas, SUVmax 4.8, 2.3 cm in size. | pancreas=pancreas | 4.8 |
The upper lobe of the right lung is clear. | lung:R=upper lobe of the right lung | |
Bilateral axillary lymph nodes are not enlarged. | thoracic_ln:B=Bilateral axillary | |
Images 45-50 show the left kidney. | kidney:L=left kidney | | 45-50
The slice thickness is 3 mm. | | |
Uptake in the right palatine tonsil, SUVmax approximately 6. | oropharynx_tonsil:R=right palatine tonsil | 6 |
Gastric wall thickening with maximal SUV 5.5. | stomach=Gastric | 5.5 |
The prostate is normal; the uterus is absent. | prostate=prostate; uterus_ovary=uterus | |
"""
SIDES = {"": None, "L": Side.LEFT, "R": Side.RIGHT, "B": Side.BILATERAL}


def rows() -> list[tuple[Language, str, str, str, str]]:
    table = []
    for language, text in ((Language.CHINESE, CHINESE), (Language.ENGLISH, ENGLISH)):
        for line in text.strip().splitlines():
            sentence, organs, values, *slices = (part.strip() for part in line.split("|"))
            table.append((language, sentence, organs, values, slices[0] if slices else ""))
    return table


ROWS = rows()


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 60


def organs_of(text: str, found: tuple[Mention, ...]) -> str:
    named = []
    for mention in found:
        for word in mention.organs:
            letter = next(key for key, side in SIDES.items() if side is word.side)
            mark = ("!" if word.reference else "") + (f":{letter}" if letter else "")
            named.append(f"{word.organ}{mark}={text[word.start : word.end]}")
    return "; ".join(named)


def values_of(text: str, found: tuple[Mention, ...]) -> str:
    values = [value for mention in found for value in mention.suv_max]
    assert all(text[value.start : value.end] for value in values)
    return " ".join(f"{value.value:.{value.decimals}f}{'-' if value.earlier else ''}" for value in values)


def slices_of(found: tuple[Mention, ...]) -> str:
    named = [one for mention in found for one in mention.slices]
    return " ".join(str(one.first) if one.first == one.last else f"{one.first}-{one.last}" for one in named)


@pytest.mark.parametrize(("language", "text", "organs", "values", "slices"), ROWS, ids=[row[1][:24] for row in ROWS])
def test_the_table(language: Language, text: str, organs: str, values: str, slices: str) -> None:
    found = find_mentions(text, language)
    assert organs_of(text, found) == organs
    assert values_of(text, found) == values
    assert slices_of(found) == slices


@pytest.mark.parametrize(
    ("language", "text", "tied"),
    [
        # by hand: the organ that a reader would look at for each value
        (Language.CHINESE, "肝、脾SUVmax分别为2.1和1.8。", [("肝",), ("脾",)]),
        (Language.CHINESE, "脾脏摄取增高，高于肝脏，SUVmax为6.5。", [("脾脏",)]),
        (Language.CHINESE, "右肺上叶见结节。SUVmax约12.6。", [("右肺上叶",)]),
        (Language.CHINESE, "右肺上叶结节SUVmax 3.2，右肺下叶结节SUVmax 4.5。", [("右肺上叶",), ("右肺下叶",)]),
        (Language.CHINESE, "腰3椎体见溶骨性骨质破坏，SUVmax为11.2。", [("腰3椎体",)]),
        (Language.CHINESE, "SUVmax为3.1的结节位于左肺。", [("左肺",)]),
        (Language.CHINESE, "肝脏未见异常；脾大，SUVmax 2.0。", [("脾",)]),
        (Language.CHINESE, "SUVmax 5.0。", [()]),
        (Language.ENGLISH, "The liver and spleen had SUVmax of 2.1 and 1.8, respectively.", [("liver",), ("spleen",)]),
        (Language.ENGLISH, "The spleen is above the liver, SUVmax 6.5.", [("spleen",)]),
        (Language.ENGLISH, "There is a right upper lobe mass. The SUVmax is 12.6.", [("right upper lobe",)]),
        (Language.ENGLISH, "FDG-avid (SUVmax 5.1) focus in the left ilium.", [("left ilium",)]),
    ],
)  # fmt: skip
def test_what_a_value_is_of(language: Language, text: str, tied: list[tuple[str, ...]]) -> None:
    values = [value for mention in find_mentions(text, language) for value in mention.suv_max]
    assert [tuple(text[word.start : word.end] for word in value.organs) for value in values] == tied


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("右肺上叶结节。", Side.RIGHT),
        ("右肺上叶及左肺下叶结节。", Side.BILATERAL),
        ("肝脏未见异常。", None),
        ("胰头肿块，紧邻左肾。", None),
    ],
)
def test_the_side_of_a_sentence(text: str, side: Side | None) -> None:
    (mention,) = find_mentions(text, Language.CHINESE)
    assert mention.side is side


def test_places_are_of_the_text_as_given() -> None:
    """Slot brackets, blanks and full-width letters are not in the normalised text."""
    text = "影像所见：【右肺 上叶】见[肿块]，ＳＵＶｍａｘ 为 【12.6】。\n影像诊断：右肺癌。"
    first, second = find_mentions(text, Language.CHINESE)
    (organ,), (value,) = first.organs, first.suv_max
    assert text[organ.start : organ.end] == "右肺 上叶"
    assert text[value.label_start : value.end] == "ＳＵＶｍａｘ 为 【12.6"
    assert value.value == 12.6
    assert [text[word.start : word.end] for word in second.organs] == ["右肺"]


def test_a_bare_suv_is_marked() -> None:
    (mention,) = find_mentions("Uptake in the liver, SUV 4.0, and in the spleen, SUVmax 2.0.", Language.ENGLISH)
    assert [value.named_max for value in mention.suv_max] == [False, True]


PIECES = [
    "右肺上叶",
    "SUVmax",
    "12.6",
    "，",
    "。",
    "第120层",
    "left",
    " kidney",
    "淋巴结",
    "纵隔",
    "及",
    "(",
    "由",
    "降至",
    "\n",
    "分别",
    "3.2、",
]


@given(
    text=st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)),
    language=st.sampled_from(list(Language)),
)
def test_any_text_gives_spans_inside_it(text: str, language: Language) -> None:
    last = 0
    for mention in find_mentions(text, language):
        assert last <= mention.start < mention.end <= len(text)
        last = mention.end
        for word in mention.organs:
            assert mention.start <= word.start < word.end <= mention.end
            assert word.organ in read_lexicon().by_id
        for value in mention.suv_max:
            assert mention.start <= value.label_start <= value.start < value.end <= mention.end
            assert 0 <= value.value < 1000
        for one in mention.slices:
            assert mention.start <= one.start < one.end <= mention.end


@pytest.mark.parametrize("language", list(Language))
def test_a_long_run_without_end_is_quick(language: Language) -> None:
    began = time.process_time()
    find_mentions("右肺上叶SUVmax为3.2、" * 500 + "SUVmax 3.2, 4.5 in the left kidney and " * 300, language)
    assert time.process_time() - began < 5
