"""Scoring everything: nothing twice, only what changed, in the background, stopped and gone on with."""

import shutil
from dataclasses import replace

import pytest

from pet2rep_core.records import Language, text_sha256
from pet2rep_core.report.sections import split_report
from pet2rep_core.scoring import checks
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow import score_pairs, score_run
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.jobs import start_scoring
from pet2rep_core.workflow.score import (
    differences_to_template,
    score_generation,
)
from pet2rep_core.workflow.score_run import plan_scores, score_planned
from tests.layout_files import REPORT_EN

EN = Language.ENGLISH


@pytest.fixture
def generated(study, store):
    """Four reports of case a and c, and one of b, which has no reference in English."""
    made = [generate_report(store, case, "template", EN) for case in "abc"]
    for behaviour in (Behaviour.COPY, Behaviour.OMIT):
        made.append(generate_report(store, "a", "scripted", EN, behaviour=behaviour))
    return made


def run(store, settings, **options):
    return list(score_planned(store, settings, plan_scores(store, **options)))


def written(store):
    return store._database.rows("SELECT count(*) FROM score")[0][0]


def test_everything_is_scored_once(store, settings, generated):
    first = run(store, settings)
    assert len(first) == 5
    assert [(one.case_id, one.reason) for one in first if one.reason] == [("b", score_run.NO_REFERENCE)]
    count = written(store)
    plan = plan_scores(store)
    assert (plan.total, plan.fresh, len(plan.unscorable)) == (0, 4, 1)
    assert [one.reason for one in run(store, settings)] == [score_run.NO_REFERENCE]
    assert written(store) == count
    assert {one.made for one in run(store, settings, again=True)} >= {0, max(one.made for one in first)}
    assert written(store) == count
    assert store.verify() == []


def test_a_run_scores_what_one_report_at_a_time_scores(store, settings, generated):
    run(store, settings, images=False)
    count = written(store)
    for one in generated:
        if one.case_id != "b":
            score_generation(store, one.generation_id)
    assert written(store) == count


def test_a_changed_metric_rescores_itself_alone(store, settings, generated, monkeypatch):
    run(store, settings)
    changed = replace(checks.CHECKS["slots_left"], version=2)
    monkeypatch.setattr(checks, "CHECKS", {**checks.CHECKS, "slots_left": changed})
    monkeypatch.setattr("pet2rep_core.workflow.score_pairs.CHECKS", checks.CHECKS)
    checks._signature.cache_clear()
    count = written(store)
    assert {one.made for one in run(store, settings) if not one.reason} == {1}
    assert written(store) == count + 4
    monkeypatch.undo()
    checks._signature.cache_clear()


def test_another_reference_rescores_what_was_made_from_it(store, settings, generated):
    run(store, settings)
    new = "Findings: The liver shows increased FDG uptake.\nImpression: none."
    store.record_report("a", split_report(new, EN))
    plan = plan_scores(store)
    assert (plan.total, plan.fresh) == (3, 1)
    run(store, settings)
    assert plan_scores(store).total == 0
    values = {s.score.metric: s.score.value for s in store.scores(generated[3].generation_id)}
    assert values["bleu4"] != 1.0


def test_another_profile_adds_language_scores_only(store, settings, generated):
    run(store, settings)
    # seven language scores: BLEU-1 to 4, METEOR, ROUGE-L, chrF
    assert {one.made for one in run(store, settings, profile="characters") if not one.reason} == {7}


def test_a_run_that_was_stopped_goes_on_where_it_was(store, settings, generated):
    asked = iter([False, False, True])
    done = list(score_planned(store, settings, plan_scores(store), cancelled=lambda: next(asked, True)))
    assert len([one for one in done if not one.reason]) == 2
    plan = plan_scores(store)
    assert (plan.total, plan.fresh) == (2, 2)


def test_processes_give_the_same(store, settings, generated, monkeypatch):
    monkeypatch.setattr(score_run, "PAYS", 1)
    monkeypatch.setattr(score_run, "CHUNK", 1)
    one_process = {
        name: made.scores
        for chunk in plan_scores(store).chunks
        for made in score_run.score_outputs(chunk.facts, chunk.outputs, chunk.needed, plan_scores(store).way)
        for name in [made.generation_id]
    }
    run(store, replace(settings, workers=2), images=False)
    stored = {g.generation_id: {s.score for s in store.scores(g.generation_id)} for g in generated}
    for name, scores in one_process.items():
        assert stored[name] == set(scores)


def test_a_job_goes_on_by_itself_and_tells_how_far_it_is(store, settings, generated):
    job = start_scoring(store, settings, name="all")
    job.wait(60)
    assert (job.name, job.total, len(job.outcomes), job.running, job.problem) == ("all", 5, 5, False, None)
    assert job.seconds_left is None
    again = start_scoring(store, settings)
    again.wait(60)
    assert again.total == 1


def test_scores_beside_the_template(store, settings, generated):
    copied = generated[3]
    assert copied.text == REPORT_EN
    found = {one.score.metric: one for one in differences_to_template(store, copied.generation_id)}
    bleu = found["bleu4"]
    assert (bleu.score.value, bleu.difference) == (1.0, 1.0 - bleu.template.value)
    assert found["template_copy"].template.value == 1.0
    assert found["metadata_conflicts"].difference is None
    assert found["metadata_conflicts"].reason == "sex and age of the patient are not known"
    assert store.scores() == []


def test_a_template_generation_has_the_hash_of_its_text(generated):
    assert all(one.sha256 == text_sha256(one.text) for one in generated)


def test_damaged_images_cost_one_score_and_no_batch(store, settings, generated):
    shutil.rmtree(settings.prepared)
    outcomes = run(store, settings)
    assert len([one for one in outcomes if not one.reason]) == 4
    reasons = {s.score.reason for s in store.scores() if s.score.metric == "suvmax_in_image"}
    assert reasons == {score_pairs.UNREADABLE}
