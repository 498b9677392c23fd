"""Baselines and the scripted model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.prompts.prompt import read_prompt
from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.uptake import extract_findings_uptake, extract_uptake
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS, normal_baseline, template_baseline
from pet2rep_core.vlm.scripted import Behaviour, MistakeKind, write_scripted_report

REFERENCES = {language: template_baseline(read_prompt("standard", language)) for language in Language}
CASES = [(language, behaviour) for language in Language for behaviour in Behaviour]


def positives(text: str, language: Language) -> set[tuple[str, UptakeState]]:
    found = extract_findings_uptake(text, language)
    return {(item.organ, state) for item in found for state in item.states if state in POSITIVE_STATES}


@pytest.mark.parametrize("language", list(Language))
def test_baselines(language):
    example, normal = REFERENCES[language], normal_baseline(language)
    for text in (example, normal):
        assert not set("[]【】") & set(text)
    assert len(positives(example, language)) == 8
    assert {state for item in extract_uptake(normal, language) for state in item.states} == {UptakeState.NORMAL}


def test_built_in_models():
    assert list(BUILT_IN_MODELS) == ["template", "template-normal", "scripted"]
    assert all(model.label and model.description and model.name == name for name, model in BUILT_IN_MODELS.items())


@pytest.mark.parametrize(("language", "behaviour"), CASES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000))
def test_every_named_mistake_is_in_the_text(language, behaviour, seed):
    reference = REFERENCES[language]
    report = write_scripted_report("case-1", reference, language, behaviour=behaviour, seed=seed)
    assert report == write_scripted_report("case-1", reference, language, behaviour=behaviour, seed=seed)
    assert (report.text == reference) == (not report.mistakes)
    before, after = positives(reference, language), positives(report.text, language)
    for mistake in report.mistakes:
        assert mistake.original in reference
        assert mistake.written in report.text
        if mistake.kind is MistakeKind.OMITTED:
            assert mistake.original not in report.text
        if mistake.kind is MistakeKind.INVENTED:
            assert (mistake.organ, UptakeState.INCREASED) in after - before
        if mistake.kind is MistakeKind.STATE_FLIPPED:
            assert {s for o, s in before if o == mistake.organ} != {s for o, s in after if o == mistake.organ}


def test_behaviours_make_their_own_kinds_of_mistakes():
    kinds = {
        behaviour: {
            m.kind
            for seed in range(5)
            for m in write_scripted_report(
                "c", REFERENCES[Language.CHINESE], Language.CHINESE, behaviour=behaviour, seed=seed
            ).mistakes
        }
        for behaviour in Behaviour
    }
    assert kinds == {
        Behaviour.COPY: set(),
        Behaviour.OMIT: {MistakeKind.OMITTED},
        Behaviour.INVENT: {MistakeKind.INVENTED},
        Behaviour.CONTRADICT: {MistakeKind.STATE_FLIPPED, MistakeKind.SIDE_SWAPPED},
        Behaviour.MIXED: set(MistakeKind),
    }


def test_other_cases_get_other_mistakes():
    text = REFERENCES[Language.ENGLISH]
    written = {write_scripted_report(f"case-{i}", text, Language.ENGLISH).text for i in range(8)}
    assert len(written) > 4


def test_a_text_without_uptake_is_copied():
    assert write_scripted_report("c", "无内容", Language.CHINESE, behaviour="mixed").text == "无内容"


def test_unknown_behaviour_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'invent'"):
        write_scripted_report("c", "x", Language.ENGLISH, behaviour="invents")
