"""Generating and scoring: the same again changes nothing, baselines are what they say, refusals have sentences."""

import json
from dataclasses import replace

import pytest

from pet2rep_core.errors import InputDataError, ModelUnavailableError, UnknownNameError
from pet2rep_core.prompts.prompt import read_benchmark_prompt, read_prompt
from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.report.slots import find_slots, strip_slots
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.build_request import study_prompt
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.score import score_generation
from tests.layout_files import REPORT_EN, REPORT_ZH, save_picture, save_text
from tests.study_files import import_all

BENCHMARK_USER = "请看图像：<image> <image>\n脑：[FDG摄取未见异常]。肝脏：[FDG摄取增高]。\n"


def test_the_template_baseline_is_the_template_with_its_slots_stripped(study, store):
    for language in Language:
        made = generate_report(store, "a", "template", language)
        template = read_prompt("standard", language).template
        assert made.text == strip_slots(template)
        assert find_slots(template)
        assert not find_slots(made.text)
        assert (made.status, made.model, made.language) == (GenerationStatus.DONE, "template", language)
    assert generate_report(store, "b", "template", Language.CHINESE).text == strip_slots(
        read_prompt("standard", Language.CHINESE).template
    )


@pytest.mark.parametrize("model", ["template", "template-normal", "scripted"])
def test_generating_again_changes_nothing(study, store, model):
    first = generate_report(store, "a", model, Language.ENGLISH)
    assert generate_report(store, "a", model, Language.ENGLISH) == first
    [stored] = store.generations("a")
    assert (stored.generation, stored.attempt) == (first, 1)
    assert len(store.runs()) == 1
    other = generate_report(store, "a", model, Language.CHINESE)
    assert (other.run_id, other.generation_id) != (first.run_id, first.generation_id)


def test_a_seed_or_behaviour_is_another_run_of_the_scripted_model_alone(study, store):
    runs = {
        generate_report(store, "a", "scripted", Language.ENGLISH, behaviour=behaviour, seed=seed).run_id
        for behaviour in (Behaviour.COPY, Behaviour.OMIT)
        for seed in (0, 1)
    }
    assert len(runs) == 4
    plain = {generate_report(store, "a", "template", Language.ENGLISH, seed=seed).run_id for seed in (0, 1)}
    assert len(plain) == 1


def test_the_scripted_model_starts_from_the_reference(study, store):
    copy = generate_report(store, "a", "scripted", Language.ENGLISH, behaviour=Behaviour.COPY)
    assert copy.text == REPORT_EN
    omitted = generate_report(store, "a", "scripted", Language.CHINESE, behaviour=Behaviour.OMIT)
    assert omitted.text != REPORT_ZH
    detail = store.generation(omitted.generation_id).detail
    assert [mistake["kind"] for mistake in detail["mistakes"]][:1] == ["sentence omitted"]


def test_the_scripted_model_without_a_reference_is_refused(study, store):
    with pytest.raises(ModelUnavailableError, match="needs a reference report in 'en', and 'b' has none") as caught:
        generate_report(store, "b", "scripted", Language.ENGLISH)
    assert "template baseline" in caught.value.hint
    assert store.generations() == []


def test_names_that_are_not_there(study, store):
    with pytest.raises(UnknownNameError, match="Did you mean 'scripted'"):
        generate_report(store, "a", "scriptd", Language.ENGLISH)
    with pytest.raises(UnknownNameError, match="no case named 'nobody'"):
        generate_report(store, "nobody", "template", Language.ENGLISH)


def test_a_case_of_the_benchmark_brings_its_own_prompt(tmp_path, settings, store):
    root = tmp_path / "bench"
    save_picture(root / "x.jpg")
    record = {
        "patient_id": "p1", "task": "PET2Rep", "prompt_system": "S", "prompt_image_fuse": ["x.jpg"],
        "prompt_user_text": BENCHMARK_USER, "answer": REPORT_ZH,
    }  # fmt: skip
    save_text(root / "bench.jsonl", json.dumps(record, ensure_ascii=False) + "\n")
    import_all(root, settings, store)
    metadata = store.case("p1").metadata
    prompt = study_prompt(metadata, Language.CHINESE)
    assert prompt == read_benchmark_prompt(metadata)
    made = generate_report(store, "p1", "template", Language.CHINESE)
    # the two statements of BENCHMARK_USER without their brackets
    assert made.text.strip() == "脑：FDG摄取未见异常。肝脏：FDG摄取增高。"
    [run] = store.runs()
    assert run.prompt_sha256 == prompt.sha256
    assert study_prompt(metadata, Language.ENGLISH) == read_prompt("standard", Language.ENGLISH)


def test_scores_have_signatures_and_scoring_again_changes_nothing(study, store):
    made = generate_report(store, "a", "template", Language.CHINESE)
    result = score_generation(store, made.generation_id)
    stored = store.scores(made.generation_id)
    assert {s.score.metric for s in stored} >= {"bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL", "ce_f1"}
    assert all(s.score.signature.split("|")[-1].startswith("v:") for s in stored)
    assert {s.score for s in stored} == set(result.scores)
    assert [s.detail["organs"] != [] for s in stored if s.score.metric == "ce_f1"] == [True]
    again = score_generation(store, made.generation_id)
    assert again.scores == result.scores
    assert store._database.rows("SELECT count(*), max(revision) FROM score") == [(len(stored), 1)]


def test_a_copy_of_the_reference_scores_perfectly(study, store):
    made = generate_report(store, "a", "scripted", Language.ENGLISH, behaviour=Behaviour.COPY)
    values = {score.metric: score.value for score in score_generation(store, made.generation_id).scores}
    assert (values["bleu4"], values["rougeL"], values["ce_f1"]) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("status", [GenerationStatus.FAILED, GenerationStatus.REFUSED, GenerationStatus.EMPTY])
def test_a_generation_that_did_not_end_well_has_reasons_and_no_numbers(study, store, status):
    made = generate_report(store, "a", "template", Language.ENGLISH)
    run = replace(store.runs()[0], run_id="r-broken", seed=1)
    store.record_run(run)
    # the text of a refusal is no report, whatever it says
    text = "" if status is GenerationStatus.EMPTY else REPORT_EN
    bad = replace(made, generation_id="g-bad", run_id=run.run_id, status=status, text=text)
    store.record_generation(bad)
    scores = score_generation(store, "g-bad").scores
    assert scores
    assert {score.value for score in scores} == {None}
    assert all(score.reason for score in scores)


def test_without_a_reference_nothing_is_scored(study, store):
    made = generate_report(store, "b", "template", Language.ENGLISH)
    with pytest.raises(InputDataError, match="'b' has no reference report in 'en'") as caught:
        score_generation(store, made.generation_id)
    assert "Import a reference report" in caught.value.hint
    assert store.scores() == []
