"""Exact texts: signatures and rendered prompts. A change here is a change of what was measured."""

from pathlib import Path

import pytest

from pet2rep_core.prompts.prompt import PAPER_SETTINGS, read_prompt, render_prompt
from pet2rep_core.records import Language
from pet2rep_core.scoring.clinical import score_clinical
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.scoring.profiles import PROFILES, ReportPart
from pet2rep_core.scoring.read_text import lexicon_mark
from pet2rep_core.vlm.baselines import normal_baseline, template_baseline

FOLDER = Path(__file__).parent / "prompts"


def test_signatures():
    golden = (Path(__file__).parent / "signatures.txt").read_text(encoding="utf-8").splitlines()
    assert [
        METRICS[name].signature(language, profile, part)
        for profile in PROFILES.values()
        for language in profile.words
        for part in ReportPart
        for name in profile.metrics
    ] == golden


def test_clinical_signatures():
    assert [s.signature for s in score_clinical("a", "a", Language.CHINESE).scores] == [
        f"{name}|agg:case|avg:macro|extractor:rules-4|lang:zh|lexicon:{lexicon_mark()}|neg:normal+unstated|part:findings|v:1"
        for name in ("ce_precision", "ce_recall", "ce_f1")
    ]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("setting", PAPER_SETTINGS)
def test_rendered_prompt(language, setting):
    rendered = render_prompt(read_prompt("standard", language), input_setting=setting, n_images=3)
    golden = (FOLDER / f"standard_{language.value}_{setting}_3.txt").read_text(encoding="utf-8")
    assert f"{rendered.system}\n=====\n{rendered.user}\n" == golden


@pytest.mark.parametrize("language", list(Language))
def test_baseline_texts(language):
    example = (FOLDER / f"template_{language.value}.txt").read_text(encoding="utf-8")
    normal = (FOLDER / f"template-normal_{language.value}.txt").read_text(encoding="utf-8")
    assert template_baseline(read_prompt("standard", language)) + "\n" == example
    assert normal_baseline(language) + "\n" == normal
