"""Small records for the tests of the store; `tests/unit/store` uses them too."""

import uuid
from pathlib import Path

from pet2rep_core.records import (
    Generation,
    GenerationStatus,
    KeySlices,
    Language,
    Rating,
    Report,
    Score,
    text_sha256,
)
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, Measurement, Recorder, RunRow, Store, StoredMeasurement, open_store

MIN_FREE = 2**16
ANSWERS = {"acc": 4, "com": 3, "cla": 5, "usa": None, "ove": 4}


def settings_in(folder: Path) -> Settings:
    return Settings(home=folder, workers=1)


def opened(folder: Path, **options) -> Store:
    return open_store(settings_in(folder), **{"min_free_bytes": MIN_FREE, **options})


def a_case(case_id: str = "case-1", **changes) -> CaseRow:
    values = {
        "case_id": case_id, "dataset": "demo", "layout": "dicom", "prepared_key": "p" * 8, "source_sha256": "a" * 64,
        "metadata": {"年龄": "60-69", "sex": "F"}, "has_pet": True, "has_ct": True, "n_pictures": 0,
        "suv": {"bw": 1.5e-4, "time_rule": "series time"}, "key_slices": KeySlices((90, 100, 110), "body thirds"),
    }  # fmt: skip
    return CaseRow(**{**values, **changes})


def a_run(run_id: str = "run-1", **changes) -> RunRow:
    values = {
        "run_id": run_id, "model": "template-paper", "input_setting": "fused", "prompt_sha256": "b" * 64,
        "language": Language.CHINESE, "parameters": {"temperature": 0.0}, "seed": 7,
    }  # fmt: skip
    return RunRow(**{**values, **changes})


def a_report(text: str = "影像所见：肝脏FDG摄取增高。", language: Language = Language.CHINESE) -> Report:
    return Report(language, text, text)


def a_generation(number: int = 1, *, case_id: str = "case-1", run_id: str = "run-1", **changes) -> Generation:
    values = {
        "generation_id": f"gen-{number}", "run_id": run_id, "case_id": case_id, "model": "template-paper",
        "language": Language.CHINESE, "status": GenerationStatus.DONE, "text": f"报告 {number}", "error": "",
    }  # fmt: skip
    return Generation(**{**values, **changes})


SCORES = (
    Score("bleu_4", 0.25, "bleu4|tok:jieba|v:1"),
    Score("meteor", None, "meteor|v:1", "empty generation"),
)


def a_rating(generation_id: str = "gen-1", reader: str = "R01", **changes) -> Rating:
    values = {
        "generation_id": generation_id, "reader": reader, "answers": dict(ANSWERS), "rubric_version": "2026.1",
        "shown_sha256": text_sha256("报告 1"), "comment": "肝脏漏报", "duration_ms": 1200,
    }  # fmt: skip
    return Rating(**{**values, **changes})


def fill(recorder: Recorder, *, generations: int = 1) -> None:
    """Record a run with one case and one generation for each number."""
    recorder.record_run(a_run())
    for number in range(1, generations + 1):
        recorder.record_case(a_case(f"case-{number}"))
        recorder.record_generation(a_generation(number, case_id=f"case-{number}"))


def click() -> str:
    return str(uuid.uuid4())


def rate(store: Store, generation_id: str = "gen-1", *, base: int = 0, event_id: str = "", **changes):
    return store.record_rating(
        a_rating(generation_id, **changes), event_id=event_id or click(), base_revision=base, session_id="tab"
    )


NUMBERS = [
    {"quantity": "suv_max", "value": 12.625, "unit": "g/mL", "reason": ""},
    {"quantity": "mtv_ml_percist", "value": None, "unit": "mL", "reason": "no liver reference"},
]


def a_measurement(**changes) -> Measurement:
    values = {
        "measurement_id": "note-0001", "case_id": "case-1", "reader": "R01", "kind": "sphere",
        "shape": {"centre_mm": [1.5, -2.0, 300.25], "diameter_mm": 30.0}, "result": {"numbers": NUMBERS},
        "signature": "voi|unit:suvbw|v:1", "prepared_key": "p" * 64, "generation_id": "gen-1", "label": "右肺上叶",
    }  # fmt: skip
    return Measurement(**{**values, **changes})


def keep(store: Store, **changes) -> StoredMeasurement:
    return store.record_measurement(a_measurement(**changes))
