"""Measuring in a case of the store: what the viewer asks, what is kept, and for whom."""

import json
import math

import numpy as np
import pytest

from pet2rep_core.errors import (
    ImageGeometryError,
    InputDataError,
    PermissionDeniedError,
    Pet2RepError,
    StoreError,
    UnknownNameError,
)
from pet2rep_core.imaging.measure import measure_voi
from pet2rep_core.imaging.prepared import open_prepared, prepare_case
from pet2rep_core.imaging.voi import MAX_POINTS, Sphere
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Language, PetUnit, SuvFactors
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.measure import (
    VIEWER_SETTINGS,
    kept_measurements,
    measure_case,
    save_viewer_settings,
    viewer_settings,
    withdraw_measurement,
)
from pet2rep_core.workflow.measure_json import read_request, read_shape, shape_json

SHAPE = (30, 30, 30)
LIVER = {"shape": "sphere", "centre_mm": [40.0, 40.0, 40.0], "diameter_mm": 30.0, "role": "liver"}
TUMOUR = {"shape": "sphere", "centre_mm": [80.0, 80.0, 80.0], "diameter_mm": 40.0}
DRAWN = {
    "shape": "freehand", "plane": "coronal", "index": 20,
    "points_mm": [[60, 80, 60], [100, 80, 60], [100, 80, 100], [60, 80, 100]],
}  # fmt: skip
LINE = {"shape": "line", "start_mm": [40, 40, 40], "end_mm": [80, 80, 80]}


def add_case(store, settings, case_id="case-1", *, seed=0, unit=PetUnit.SUVBW, suv=None):
    pet = np.random.default_rng(seed).normal(2.0, 0.1, SHAPE).astype(np.float32)
    pet[18:23, 18:23, 18:23] = 9.0
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    key = prepare_case(
        settings.prepared, pet=Volume(pet, affine), pet_unit=unit, suv=suv or SuvFactors(bw=2e-4, lbm=1.6e-4),
        ct=Volume(np.full(SHAPE, 40, dtype=np.int16), affine),
    )  # fmt: skip
    store.record_case(CaseRow(case_id, "demo", "dicom", key, f"{seed}" * 64, has_pet=True, has_ct=True))
    return key


def ask(store, settings, sent, *, case_id="case-1", reader="R01", **more):
    return measure_case(store, settings, case_id, reader, read_request({**sent, **more}))


def by_quantity(content):
    return {one["quantity"]: one for one in content["numbers"]}


@pytest.fixture
def case(store, settings):
    return add_case(store, settings)


def test_a_sphere_is_measured_as_the_function_does(store, settings, case):
    done = ask(store, settings, TUMOUR)
    direct = measure_voi(open_prepared(settings.prepared, case), Sphere((80.0, 80.0, 80.0), 40.0))
    assert (done.result.uptake, done.result.hu, done.note) == (direct.uptake, direct.hu, None)
    numbers = by_quantity(done.content)
    assert numbers["suv_max"] == {"quantity": "suv_max", "value": 9.0, "unit": "g/mL", "reason": ""}
    assert numbers["suv_peak"]["value"] == 9.0
    assert numbers["mtv_ml_suv4.0"]["value"] == pytest.approx(125 * 0.064)
    assert numbers["tlg_suv4.0"] == {
        "quantity": "tlg_suv4.0", "value": pytest.approx(9 * 125 * 0.064), "unit": "g", "reason": "",
    }  # fmt: skip
    assert numbers["threshold_41pct"]["value"] == pytest.approx(3.69)
    assert numbers["hu_mean"]["value"] == 40.0
    assert numbers["mtv_ml_percist"]["value"] is None
    assert numbers["mtv_ml_percist"]["reason"].startswith("There is no liver reference yet")
    assert done.content["liver"] is None
    assert kept_measurements(store, "case-1", "R01") == []


@pytest.mark.parametrize("sent", [TUMOUR, LIVER, DRAWN, LINE], ids=["sphere", "liver", "freehand", "line"])
def test_what_is_kept_comes_back_as_it_was_shown(store, settings, case, sent):
    done = ask(store, settings, sent, keep=True, label="左肺")
    json.dumps(done.content, allow_nan=False)
    [note] = kept_measurements(store, "case-1", "R01")
    assert note == done.note
    kept = note.measurement
    assert (kept.kind, kept.role, kept.label, kept.prepared_key) == (sent["shape"], done.role, "左肺", case)
    assert kept.signature == done.result.signature
    assert kept.result["numbers"] == done.content["numbers"]
    samples = {"distance_mm", "pet", "hu"} if sent is LINE else set()
    measured = {name: value for name, value in done.content["measured"].items() if name not in samples}
    assert kept.result["measured"] == measured
    shape = read_shape(kept.kind, kept.shape)
    assert shape == read_request(sent).shape
    assert shape_json(shape) == (kept.kind, kept.shape)
    assert store.verify() == []


def test_the_percist_threshold_is_that_of_the_readers_newest_liver_reference(store, settings, case):
    reference = ask(store, settings, LIVER, keep=True)
    liver = reference.content["liver"]
    pet = open_prepared(settings.prepared, case).pet
    index = np.indices(SHAPE).reshape(3, -1).T
    values = pet.values.reshape(-1)[np.linalg.norm(index * 4.0 - 40.0, axis=1) <= 15].astype(float)
    assert liver["threshold"] == pytest.approx(1.5 * values.mean() + 2 * values.std())
    assert liver["threshold_sul"] == pytest.approx(liver["threshold"] * 0.8)
    assert by_quantity(reference.content)["mtv_ml_percist"]["reason"] == "This is the liver reference itself."
    tumour = by_quantity(ask(store, settings, TUMOUR).content)
    assert tumour["threshold_percist"]["value"] == pytest.approx(liver["threshold"])
    assert tumour["mtv_ml_percist"]["value"] == pytest.approx(125 * 0.064)
    # not another reader's, and not one that was withdrawn
    assert by_quantity(ask(store, settings, TUMOUR, reader="R02").content)["mtv_ml_percist"]["value"] is None
    moved = ask(store, settings, {**LIVER, "centre_mm": [60.0, 40.0, 40.0]}, keep=True)
    newest = by_quantity(ask(store, settings, TUMOUR).content)["threshold_percist"]["value"]
    assert newest == pytest.approx(moved.content["liver"]["threshold"])
    assert newest != pytest.approx(liver["threshold"])
    for note in kept_measurements(store, "case-1", "R01"):
        withdraw_measurement(store, "case-1", "R01", note.measurement.measurement_id)
    assert by_quantity(ask(store, settings, TUMOUR).content)["mtv_ml_percist"]["value"] is None


def test_a_liver_reference_of_other_images_is_not_used(store, settings, case):
    ask(store, settings, LIVER, keep=True)
    assert add_case(store, settings, seed=1) != case
    reason = by_quantity(ask(store, settings, TUMOUR).content)["mtv_ml_percist"]["reason"]
    assert reason == "The liver reference was measured on earlier images of this case: measure it again."


def test_without_suv_nothing_is_called_suv(store, settings):
    add_case(store, settings, unit=PetUnit.ACTIVITY_BQML, suv=SuvFactors(reason="no dose"))
    content = ask(store, settings, TUMOUR).content
    numbers = by_quantity(content)
    assert not [name for name in numbers if name.startswith(("suv_", "mtv", "tlg"))]
    assert numbers["max"] == {"quantity": "max", "value": 9.0, "unit": "Bq/mL", "reason": ""}
    assert numbers["total_41pct"]["unit"] == "Bq"
    assert numbers["volume_ml_suv2.5"] == {
        "quantity": "volume_ml_suv2.5", "value": None, "unit": "mL", "reason": "The PET is not in SUV.",
    }  # fmt: skip
    with pytest.raises(ImageGeometryError, match="needs a PET in SUV"):
        ask(store, settings, LIVER)


def test_a_note_stands_beside_the_generation_that_was_shown(store, settings, study):
    generation = generate_report(store, "a", "template", Language.ENGLISH)
    ball = {"shape": "sphere", "centre_mm": [0, 0, 0], "diameter_mm": 5.0}
    key = store.case("a").prepared_key
    grid = open_prepared(settings.prepared, key).pet
    ball["centre_mm"] = grid.affine_lps[:3, 3].tolist()
    ask(store, settings, ball, case_id="a", keep=True, generation_id=generation.generation_id)
    assert {row["generation_id"] for row in store.measurements_table().to_pylist()} == {generation.generation_id}
    with pytest.raises(StoreError, match="The case has no generation 'gen-9'"):
        ask(store, settings, ball, case_id="a", keep=True, generation_id="gen-9")
    with pytest.raises(ImageGeometryError, match="no volume to measure in"):
        ask(store, settings, ball, case_id="b")
    with pytest.raises(ImageGeometryError, match="no images to measure in"):
        ask(store, settings, ball, case_id="c")
    with pytest.raises(UnknownNameError, match="no case named 'nobody'"):
        ask(store, settings, ball, case_id="nobody")


def test_readers_see_and_change_only_their_own(store, settings, case):
    note = ask(store, settings, TUMOUR, keep=True, id="note-of-R01").note
    assert note.measurement.measurement_id == "note-of-R01"
    assert kept_measurements(store, "case-1", "R02") == []
    with pytest.raises(PermissionDeniedError, match="another reader"):
        ask(store, settings, TUMOUR, reader="R02", keep=True, id="note-of-R01")
    with pytest.raises(PermissionDeniedError, match="another reader"):
        withdraw_measurement(store, "case-1", "R02", "note-of-R01")
    withdraw_measurement(store, "case-1", "R01", "note-of-R01")
    assert kept_measurements(store, "case-1", "R01") == []
    with pytest.raises(StoreError, match="cannot be a reader's name"):
        ask(store, settings, TUMOUR, reader="王医生", keep=True)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "'None' is no shape"),
        ({"shape": "cube"}, "'cube' is no shape"),
        ({"shape": ["sphere"]}, "is no shape"),
        ({"shape": "sphere", "centre_mm": [0, 0, 0]}, "sphere has no 'diameter_mm'"),
        ({**TUMOUR, "radius_mm": 3}, "sphere has no 'radius_mm'"),
        ({**TUMOUR, "points_mm": []}, "sphere has no 'points_mm'"),
        ({**TUMOUR, "diameter_mm": "30"}, "no number"),
        ({**TUMOUR, "diameter_mm": True}, "no number"),
        ({**TUMOUR, "diameter_mm": math.nan}, "diameter of nan mm"),
        ({**TUMOUR, "diameter_mm": 10**400}, "diameter of inf mm"),
        ({**TUMOUR, "centre_mm": [1, 2]}, "three coordinates"),
        ({**TUMOUR, "centre_mm": "abc"}, "three coordinates"),
        ({**TUMOUR, "centre_mm": [1, 2, None]}, "no number"),
        ({**TUMOUR, "role": "spleen"}, "'role' is not '' or 'liver'"),
        ({**TUMOUR, "keep": 1}, "'keep' is neither true nor false"),
        ({**TUMOUR, "label": 3}, "'label' is not text"),
        ({**TUMOUR, "id": {}}, "'id' is not text"),
        ({**LINE, "role": "liver"}, "line cannot be the liver reference"),
        ({**LINE, "end_mm": LINE["start_mm"]}, "no length"),
        ({**DRAWN, "plane": "oblique"}, "'oblique' is no plane"),
        ({**DRAWN, "plane": ["coronal"]}, "is no plane"),
        ({**DRAWN, "index": 2.5}, "no whole number"),
        ({**DRAWN, "index": True}, "no whole number"),
        ({**DRAWN, "points_mm": [[0, 0, 0]] * (MAX_POINTS + 1)}, "too many"),
        ({**DRAWN, "points_mm": {"a": 1}}, "no list"),
        ({**DRAWN, "points_mm": [[0, 0, 0]] * 2}, "has 2 points"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(sent, words):
    with pytest.raises(InputDataError, match=words) as caught:
        read_request(sent)
    assert caught.value.hint


def test_settings_are_remembered_and_checked(store):
    assert viewer_settings(store, "R01") == {}
    assert save_viewer_settings(store, "R01", {"pet": "suv-0-5", "opacity": 0.5}) == {"pet": "suv-0-5", "opacity": 0.5}
    save_viewer_settings(store, "R01", {"smooth": False, "opacity": 1})
    assert viewer_settings(store, "R01") == {"pet": "suv-0-5", "opacity": 1, "smooth": False}
    assert viewer_settings(store, "R02") == {}


def test_a_setting_that_the_program_forgot_is_left_out(store):
    store.record_reader_settings("R01", {"spin": 3, "opacity": 7, "smooth": True})
    assert viewer_settings(store, "R01") == {"smooth": True}


GOOD = {"text": "four", "share": 0.25, "range": [0.5, 7], "switch": True}
KINDS = dict.fromkeys(("layout", "plane", "pet", "ct", "map", "pet_map"), "text") | {
    "pet_range": "range", "ct_range": "range", "opacity": "share",
    "smooth": "switch", "inverted": "switch", "cross": "switch",
}  # fmt: skip
BAD = [None, "", "x" * 65, "a\nb", 7, -0.1, math.nan, [1], [2, 1], [1, "2"], [True, 2], [0, math.inf], {}]


@pytest.mark.parametrize("name", list(VIEWER_SETTINGS))
def test_every_setting_takes_its_own_kind_of_value_only(store, name):
    assert save_viewer_settings(store, "R01", {name: GOOD[KINDS[name]]}) == {name: GOOD[KINDS[name]]}
    others = [value for kind, value in GOOD.items() if kind != KINDS[name]]
    for bad in (*BAD, *others):
        with pytest.raises(InputDataError, match=f"'{name}' cannot have this value"):
            save_viewer_settings(store, "R01", {name: bad})
    assert viewer_settings(store, "R01") == {name: GOOD[KINDS[name]]}


def test_an_unknown_setting_is_refused_and_nothing_is_stored(store):
    with pytest.raises(Pet2RepError, match="no setting 'zoom'") as caught:
        save_viewer_settings(store, "R01", {"smooth": True, "zoom": 3})
    assert "opacity" in caught.value.hint
    assert viewer_settings(store, "R01") == {}
