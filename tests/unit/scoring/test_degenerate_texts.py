"""What a model may write instead of a report: the expected score of each, and the time it may take."""

import time

import pytest

from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import score_nlg
from pet2rep_core.scoring.verify import verify_scores

REFERENCE = "肝脏FDG摄取未见异常。"
METRICS = ("bleu1", "bleu2", "meteor", "rougeL", "chrf")

# Witness of every value: nltk 3.10.4, rouge_score 0.1.2 and sacrebleu 2.6.0 on jieba 0.42.1 words.
EXPECTED = {
    "identical": (REFERENCE, (1.0, 1.0, 0.996, 1.0, 1.0)),
    "one word of it": ("肝脏", (0.0183156388887, 0.0, 0.108695652174, 0.333333333333, 0.155963302752)),
    "nothing of it": ("12345", (0.0, 0.0, 0.0, 0.0, 0.0)),
    "full stops": ("...", (0.0, 0.0, 0.0, 0.0, 0.0)),
    # full width is another character: nothing is normalised before scoring
    "full width": ("肝脏ＦＤＧ摄取未见异常｡", (0.428571428571, 0.267261241912, 0.491452991453, 0.5, 0.389718614719)),
    "control characters": (
        "肝脏\x00FDG\x07摄取\x1b[2J未见异常。",
        (0.555555555556, 0.263523138347, 0.688888888889, 0.714285714286, 0.377519234656),
    ),
    "HTML": (
        "<b>肝脏</b><script>alert(1)</script>FDG摄取未见异常。",
        (0.217391304348, 0.172175110788, 0.711764705882, 0.357142857143, 0.49559369919),
    ),
    "right-to-left marks": (
        "\u202e肝脏FDG\u200f摄取未见异常。\u202c",
        (0.625, 0.517549169507, 0.91320754717, 0.769230769231, 0.65392640656),
    ),
    "JSON": (
        '{"findings": "肝脏FDG摄取未见异常。"}',
        (0.384615384615, 0.35805743702, 0.858620689655, 0.555555555556, 0.75768397306),
    ),
    "Markdown": ("**肝脏**\n- FDG摄取未见异常。", (0.5, 0.408248290464, 0.88, 0.666666666667, 0.746511146754)),
    "English for Chinese": (
        "The liver shows no abnormal FDG uptake.",
        (0.125, 0.0, 0.0943396226415, 0.153846153846, 0.0645626987198),
    ),
    "half a character": ("\ud800肝脏", (0.111565080074, 0.0, 0.106382978723, 0.285714285714, 0.101709401709)),
    "repetition": (
        "肝脏FDG" * 20,
        (0.05, 0.035805743702, 0.220588235294, 0.0888888888889, 0.0888531513937),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_expected_values(name):
    text, expected = EXPECTED[name]
    got = {score.metric: score.value for score in score_nlg(text, REFERENCE, Language.CHINESE)}
    # a BLEU without a match of some order is a number such as 1e-155 in nltk and here, and means 0
    assert [got[metric] for metric in METRICS] == pytest.approx(expected, rel=1e-10, abs=1e-100)


@pytest.mark.parametrize("profile", ["reference", "characters"])
def test_a_text_of_one_word_against_itself(profile):
    # Witness: nltk. There is no pair of words, so BLEU-2 to -4 are 0; METEOR counts one chunk of one word.
    got = {s.metric: s.value for s in score_nlg("肝", "肝", Language.CHINESE, profile=profile)}
    expected = {"bleu1": 1, "bleu2": 0, "bleu3": 0, "bleu4": 0, "meteor": 0.5, "rougeL": 1, "chrf": 1}
    assert got == pytest.approx(expected, abs=1e-100)


LONG = {
    "100,000 characters": (REFERENCE * 10_000)[:100_000],
    "1 MB of one character": "肝" * 333_333,
    "1 MB of words": "未见异常" * 83_333,
    "1 MB of one letter": "a" * 1_000_000,
    "1 MB of full stops": "。" * 333_333,
    "1 MB of lines": "\n" * 1_000_000 + "肝",
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("language", list(Language))
def test_very_long_texts_are_scored_in_seconds(name, language):
    began = time.process_time()
    scores = score_nlg(LONG[name], REFERENCE, language)
    assert all(score.value is not None and 0 <= score.value < 0.2 for score in scores)
    assert time.process_time() - began < 15


def test_two_texts_of_100_000_characters():
    text = "".join(f"肝脏{number}号病灶FDG摄取增高。" for number in range(6000))
    assert len(text) > 100_000
    moved = text[len(text) // 2 :] + text[: len(text) // 2]
    # Witness: nltk, which is linear in the length too.
    linear = ("bleu1", "bleu4", "meteor")
    scores = score_nlg(moved, text, Language.CHINESE, metrics=linear)
    assert [c.difference for c in verify_scores(moved, text, Language.CHINESE, scores=scores)] == [0, 0, 0]
    # Witness: by hand. One half is the longest common subsequence but for the words that both halves share.
    [rouge] = score_nlg(moved, text, Language.CHINESE, metrics=("rougeL",))
    assert 0.5 <= rouge.value < 1
    [checked] = verify_scores(moved, text, Language.CHINESE, scores=[rouge])
    assert checked.difference is None
    assert checked.reason.startswith("too long for rouge_score")


def test_the_package_rouge_has_a_limit_that_is_said():
    text = "未见异常" * 30_000
    [score] = score_nlg(text, text, Language.CHINESE, profile="table-1", metrics=("rougeL",))
    assert (score.value, score.reason) == (None, "texts too long for the ROUGE-L of the package rouge")
