"""Words: by hand, and against jieba itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.report_texts import ReportWriter
from pet2rep_core.errors import MissingDependencyError, SettingsError
from pet2rep_core.records import Language
from pet2rep_core.scoring import tokens


@pytest.fixture(scope="module")
def jieba_cut():
    return lambda text: list(tokens.load_jieba().cut(text))


def test_chinese_words_and_dropped_slots():
    # Witness: jieba 0.42.1, jieba.lcut of the same text without brackets and spaces.
    assert tokens.tokenize("肝脏[形态正常]， FDG【摄取增高】。", Language.CHINESE) == [
        "肝脏", "形态", "正常", "，", "FDG", "摄取", "增高", "。",
    ]  # fmt: skip


def test_english_words():
    assert tokens.tokenize("The 18F-FDG uptake (SUVmax 3.5) isn't [high].", Language.ENGLISH) == [
        "the", "18f-fdg", "uptake", "(", "suvmax", "3.5", ")", "isn't", "high", ".",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (tokens.chinese_words_and_spaces, ["FDG", " ", "摄取", "\n", "\t", "高"]),
        (tokens.chinese_words, ["FDG", "摄取", "高"]),
        (tokens.characters, ["F", "D", "G", "摄", "取", "高"]),
        (tokens.lower_characters, ["f", "d", "g", "摄", "取", "高"]),
        (tokens.pieces_between_spaces, ["FDG", "摄取", "高"]),
    ],
)
def test_ways_of_cutting(cut, words):
    # Witness: by hand.
    assert cut("FDG 摄取\n\t高") == words


def test_the_memo_of_blocks_changes_no_word(jieba_cut):
    writer = ReportWriter(seed=3)
    tokens.forget_blocks()
    for _ in range(20):
        text = writer.output(writer.reference())
        assert tokens.chinese_words_and_spaces(text) == jieba_cut(text)
        assert tokens.chinese_words(text) == [word for word in jieba_cut(text) if not word.isspace()]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="肝脏摄取未见异常囊肿葡萄糖丙氨酸嗉磺aF1.%-_ +", max_size=40))
def test_blocks_are_cut_as_jieba_cuts_them(text):
    cutter = tokens._load_cutter()
    for block in text.split():
        assert list(cutter.cut_block(block)) == list(cutter.tokenizer.cut(block))


@pytest.mark.parametrize("unit", ["肝", "嗉嗪", "肝脏", "未见异常", "a", "1", "肝a", "."])
def test_repetition_is_cut_as_jieba_cuts_it(unit, jieba_cut):
    text = unit * (1200 // len(unit))
    assert tokens.chinese_words_and_spaces(text) == jieba_cut(text)


@pytest.mark.timeout(20)
def test_a_model_that_is_stuck_is_cut_in_seconds():
    # jieba itself needs minutes for this: its search copies the path at every character
    assert "".join(tokens.chinese_words("嗉" * 100_000)) == "嗉" * 100_000


def test_another_jieba_is_refused(monkeypatch):
    import jieba

    monkeypatch.setattr(jieba, "__version__", "0.43")
    with pytest.raises(SettingsError, match=r"jieba 0\.43 is installed, and scores are signed for 0\.42\.1"):
        tokens._make_cutter.__wrapped__()


def test_another_dictionary_is_refused(monkeypatch):
    monkeypatch.setattr(tokens, "JIEBA_DICTIONARY_SHA256", "0" * 64)
    with pytest.raises(SettingsError, match="dictionary of jieba is not that of version"):
        tokens._make_cutter.__wrapped__()


def test_without_jieba_it_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(MissingDependencyError, match=r"pip install jieba==0\.42\.1"):
        tokens._make_cutter.__wrapped__()
