"""The benchmark's public template and answer, against the values measured with the peers themselves."""

import json

import pytest

from pet2rep_core.prompts.prompt import read_benchmark_prompt, render_prompt
from pet2rep_core.records import Language
from pet2rep_core.report.sections import split_report
from pet2rep_core.scoring.clinical import score_clinical
from pet2rep_core.scoring.nlg import score_nlg
from pet2rep_core.scoring.profiles import PROFILES, ReportPart
from pet2rep_core.scoring.verify import verify_scores
from pet2rep_core.vlm.baselines import template_baseline

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def record(real_data):
    text = (real_data / "pet2rep_demo" / "prompt_qwen25vl.jsonl").read_text(encoding="utf-8")
    return json.loads(text.splitlines()[0])


def test_benchmark_prompt_renders_byte_for_byte(record):
    rendered = render_prompt(read_benchmark_prompt(record), input_setting="fused", n_images=3)
    assert rendered.user == record["prompt_user_text"]
    assert rendered.system == record["prompt_system"]


def test_language_scores_of_the_template_baseline(record):
    # Witness: nltk, rouge_score and jieba themselves, row "full / jieba, white space dropped" of the research.
    hypothesis = template_baseline(read_benchmark_prompt(record))
    got = {s.metric: s.value for s in score_nlg(hypothesis, record["answer"], Language.CHINESE)}
    assert got["bleu1"] == pytest.approx(0.590, abs=5e-4)
    assert got["bleu2"] == pytest.approx(0.479, abs=5e-4)
    assert got["bleu3"] == pytest.approx(0.395, abs=5e-4)
    assert got["bleu4"] == pytest.approx(0.3378, abs=5e-5)
    assert got["rougeL"] == pytest.approx(0.4402, abs=5e-5)
    assert got["meteor"] == pytest.approx(0.3842, abs=5e-5)


def test_table_1_profile_of_the_template_baseline(record):
    # Witness: nltk and the package rouge on jieba words, row "full / jieba, white space kept" of the research.
    # METEOR: no piece between white space is the same in both texts.
    hypothesis = template_baseline(read_benchmark_prompt(record))
    scores = score_nlg(hypothesis, record["answer"], Language.CHINESE, profile="table-1")
    got = {s.metric: s.value for s in scores}
    expected = {"bleu1": 0.590, "bleu2": 0.474, "bleu3": 0.387, "bleu4": 0.3283, "meteor": 0.0, "rougeL": 0.5038}
    assert got == pytest.approx(expected, abs=5e-4)


def test_every_score_of_the_public_pair_is_its_witness(record):
    hypothesis = template_baseline(read_benchmark_prompt(record))
    for profile in PROFILES:
        for part in ReportPart:
            checks = verify_scores(hypothesis, record["answer"], Language.CHINESE, profile=profile, part=part)
            assert all(check.difference == 0 or "not installed" in check.reason for check in checks)


def test_clinical_efficacy_of_the_template_baseline(record):
    # Witness: counted by hand from both texts.
    result = score_clinical(template_baseline(read_benchmark_prompt(record)), record["answer"], Language.CHINESE)
    assert [(c.tp, c.fp, c.fn) for c in result.classes] == [(2, 4, 2), (0, 1, 0), (0, 1, 0)]
    agreed = {row.organ for row in result.rows if row.reference and row.reference == row.hypothesis}
    assert {"lung", "stomach"} <= agreed


def test_public_answer_is_split(record):
    report = split_report(record["answer"])
    assert report.findings.startswith("禁食状态下")
    assert report.impression.startswith("1.a.右肺下叶")
