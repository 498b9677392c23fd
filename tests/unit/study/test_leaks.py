"""Give-aways in texts as models write them; reports of our own demo study have none."""

import pytest

from pet2rep_core.records import Language
from pet2rep_core.study.leaks import find_leaks, leak_kinds, leaks_version
from tests.report_sets.labels import read_reports

ZH, EN = Language.CHINESE, Language.ENGLISH


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("As an AI language model, I cannot view images.", EN, {"names_itself"}),
        ("I am Qwen, created by Alibaba. The liver is normal.", EN, {"names_model"}),
        ("我是一个人工智能助手，无法替代医生。肝脏正常。", ZH, {"names_itself"}),
        ("作为AI，我仅能根据图像描述。", ZH, {"names_itself"}),
        ("## 影像所见\n肝脏**正常**。", ZH, {"markdown"}),
        ("- 肝脏：正常\n- 脾脏：正常", ZH, {"markdown"}),
        ("| 器官 | 摄取 |\n|---|---|\n| 肝 | 正常 |", ZH, {"markdown"}),
        ("Sure! Here is the PET/CT report:\n影像所见：肝脏正常。", ZH, {"preamble"}),
        ("影像所见：肝脏正常。The spleen shows no abnormal uptake of the tracer.", ZH, {"other_language"}),
        ("好的，以下是报告：\n影像所见：肝脏正常。", ZH, {"preamble"}),
        ("<think>先看肝脏</think>影像所见：肝脏正常。", ZH, {"machine_marks"}),
        ("The liver is normal. 肝脏放射性摄取未见异常。", EN, {"other_language"}),
        ("The liver is normal. SUVmax 3.5 - 4.0, size 2-3 cm; FDG uptake (see image 12).", EN, set()),
        ("影像所见：双侧腮腺FDG摄取对称，SUVmax 2.1。PET/CT示肝脏S8段低密度灶。", ZH, set()),
        ("", ZH, set()),
    ],
)
def test_texts(text, language, found):
    leaks = find_leaks(text, language)
    assert {leak.kind for leak in leaks} == found
    for leak in leaks:
        assert text[leak.start : leak.end] == leak.quote
        assert leak.kind in leak_kinds()


def test_names_of_the_study_are_looked_for():
    text = "Report by Scripted-Reader 7b."
    assert find_leaks(text, EN) == ()
    [leak] = find_leaks(text, EN, ["scripted-reader 7b", "x"])
    assert (leak.kind, leak.quote) == ("names_model", "Scripted-Reader 7b")


def test_the_table_has_a_version():
    assert leaks_version() == "2026.1"


@pytest.mark.parametrize("name", ["reports_1.toml", "reports_2.toml", "reports_3.toml"])
def test_reports_of_people_give_nobody_away(name):
    """No kind but Markdown: lists with dashes are how some departments write."""
    found = {
        (leak.kind, leak.quote) for row in read_reports(name) for leak in find_leaks(row.text, row.language)
    }  # fmt: skip
    assert {kind_and_quote for kind_and_quote in found if kind_and_quote[0] != "markdown"} == set()
