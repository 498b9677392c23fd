"""Values that are made when somebody asks for them: once, in every thread, and again where making them failed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pet2rep_core.study.estimates import Plan
from pet2rep_core.workflow import study_results
from pet2rep_core.workflow.by_need import ByNeed
from pet2rep_core.workflow.study_frame import frame_of
from tests.rated_study import rated_table


def test_a_value_is_made_once_when_it_is_asked_for():
    made = []
    values = ByNeed("abc", lambda key: made.append(key) or key.upper())
    assert (list(values), len(values), made) == (["a", "b", "c"], 3, [])
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(values.__getitem__, "b" * 40)) == {"B"}
    assert made == ["b"]
    assert dict(values) == {"a": "A", "b": "B", "c": "C"}
    assert made == ["b", "a", "c"]
    with pytest.raises(KeyError):
        values["d"]


def test_what_failed_is_tried_again():
    answers = iter([ValueError("not yet"), 5])

    def make(_key):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    values = ByNeed(["a"], make)
    with pytest.raises(ValueError, match="not yet"):
        values["a"]
    assert values["a"] == 5


def test_results_work_out_no_part_that_nobody_looks_at(monkeypatch):
    asked = []
    for name in ("agreement_of", "compare_arms", "measure_repeats", "measure_habits", "measure_shift"):
        real = getattr(study_results, name)
        monkeypatch.setattr(
            study_results,
            name,
            lambda *given, _real=real, _name=name, **more: asked.append(_name) or _real(*given, **more),
        )
    results = study_results.make_results(frame_of(rated_table()), blind=False, plan=Plan(resamples=20))
    assert asked == []
    assert results.agreement["acc"].statistics["exact"].value is not None
    assert asked == ["agreement_of"]
    assert set(results.shift) == set(results.dimensions)
