"""Requests: the pictures of an input setting, byte for byte, the prompt's words, and the options that a model takes."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from pet2rep_core.errors import ImageGeometryError, ReportParseError, SettingsError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.prompts.prompt import read_prompt, render_prompt
from pet2rep_core.records import Language
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.request import Options, Route
from pet2rep_core.workflow.build_request import Asking, build_request, choose_prompt
from pet2rep_core.workflow.open_case import draw_model_picture, open_case
from tests.layout_files import REPORT_ZH, save_picture, save_text
from tests.study_files import import_all

USER = "请看图像：<image> <image> <image>\n脑：[FDG摄取未见异常]。肝脏：[FDG摄取增高]。\n"
DISPLAY = read_display()


def built(store, settings, case_id="a", setting="fused", model="qwen2.5-vl-7b", route=Route.OPENAI, **asking):
    case = open_case(store, settings, case_id)
    return build_request(case, read_catalog().row(model), route, setting, Asking(**asking), DISPLAY)


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


@pytest.mark.parametrize(
    ("setting", "names"),
    [("fused", ["fused 1", "fused 2", "fused 3"]), ("separate", ["ct 1", "ct 2", "ct 3", "pet 1", "pet 2", "pet 3"])],
)
def test_the_pictures_are_those_that_the_viewer_shows(study, store, settings, setting, names):
    request = built(store, settings, setting=setting).request
    assert [one.name for one in request.pictures] == names
    case = open_case(store, settings, "a")
    for n, picture in enumerate(request.pictures):
        shown = pixels(picture)
        assert np.array_equal(shown, draw_model_picture(case, setting, n, DISPLAY))
        assert (picture.height, picture.width, 3) == shown.shape
    wanted = render_prompt(read_prompt("standard", Language.CHINESE), input_setting=setting, n_images=len(names))
    assert (request.system, request.user) == (wanted.system, wanted.user)


def test_the_same_is_the_same_bytes_and_a_size_is_kept(study, store, settings):
    first, again = built(store, settings).request, built(store, settings).request
    assert first.sha256 == again.sha256
    large = built(store, settings, size_px=300).request
    assert {max(one.width, one.height) for one in large.pictures} == {300}
    small, own = large.pictures[0], first.pictures[0]
    assert small.width / small.height == pytest.approx(own.width / own.height, rel=0.05)
    with pytest.raises(SettingsError, match="cannot be 5 pixels long"):
        Asking(size_px=5)


def test_a_table_of_regions_is_in_the_third_setting_alone(study, store, settings):
    measured, fused = built(store, settings, setting="fused-measured"), built(store, settings)
    assert "下表由软件在三维PET中测得" in measured.request.user
    assert "下表" not in fused.request.user
    assert [one.sha256 for one in measured.request.pictures] == [one.sha256 for one in fused.request.pictures]
    assert measured.detail()["measured"].startswith("regions|min:suv4")
    assert "measured" not in fused.detail()


def test_placeholders_are_taken_out_where_the_family_would_read_them(tmp_path, store, settings):
    root = tmp_path / "bench"
    for n in (1, 2, 3):
        save_picture(root / f"{n}.jpg")
    record = {
        "patient_id": "p1", "task": "PET2Rep", "prompt_system": "S", "answer": REPORT_ZH, "prompt_user_text": USER,
        "prompt_image_fuse": ["1.jpg", "2.jpg", "3.jpg"],
    }  # fmt: skip
    save_text(root / "bench.jsonl", json.dumps(record, ensure_ascii=False) + "\n")
    import_all(root, settings, store)
    plain = built(store, settings, "p1").request
    assert plain.user == USER.rstrip("\n") or plain.user == USER
    assert (len(plain.pictures), plain.system) == (3, "S")
    llava = built(store, settings, "p1", model="llava-1.5-7b")
    assert "<image>" not in llava.request.user
    assert "<image>" in llava.wished.user
    with pytest.raises(ImageGeometryError, match="no volumes, which the input 'separate' needs"):
        built(store, settings, "p1", setting="separate")
    # the table needs the words of a prompt file
    assert choose_prompt(Asking(), store.case("p1").metadata, "fused-measured").name == "standard"
    assert choose_prompt(Asking(), store.case("p1").metadata, "fused").name == "benchmark"
    by_file = choose_prompt(Asking(prompt=str(root / "bench.jsonl")), {}, "fused")
    assert by_file.name == "benchmark"
    with pytest.raises(ReportParseError, match=r"none\.jsonl cannot be read"):
        choose_prompt(Asking(prompt=str(root / "none.jsonl")), {}, "fused")


def test_options_that_a_model_does_not_take_are_named(study, store, settings):
    made = built(store, settings, model="gpt-4o", options=Options(seed=4))
    assert made.detail()["not_sent"] == ["top_k", "repetition_penalty"]
    assert made.request.options.sent() == {"max_new_tokens": 1024, "temperature": 0.7, "top_p": 1.0, "seed": 4}
    claude = built(store, settings, model="claude-opus-5-5", route=Route.ANTHROPIC)
    assert claude.request.options.sent() == {"max_new_tokens": 1024}


def test_a_case_without_volumes(study, store, settings):
    with pytest.raises(ImageGeometryError):
        built(store, settings, "c")
