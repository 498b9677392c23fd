"""Every family of the in-process route: a tiny model with random weights, saved, and loaded as real weights are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pet2rep_core.records import GenerationStatus
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.local import TransformersAdapter, prepare
from pet2rep_core.vlm.model_row import Proof
from pet2rep_core.vlm.preflight import picture_tokens
from pet2rep_core.vlm.request import Request, Route, Severity
from tests.tiny_models import ROW_OF, SYSTEM, TWINS, USER, as_on_the_hub, pictures, tiny_request, twin_row

pytestmark = pytest.mark.slow
FAMILIES = sorted(TWINS)
# Tokens of three pictures of 200 x 219 pixels in the tiny models, by arithmetic from their settings.
PICTURE_TOKENS = {
    "qwen2_vl": 36, "qwen2_5_vl": 36, "qwen3_vl": 36, "qwen3_vl_moe": 36, "internvl": 60, "llava": 12,
    "llava_mistral": 12, "llava_next": 72, "gemma3": 12, "deepseek_vl": 48, "deepseek_vl_hybrid": 48,
}  # fmt: skip


def never() -> bool:
    return False


@pytest.fixture
def adapter(twin):
    opened = []

    def make(name):
        opened.append(TransformersAdapter(twin_row(name, twin(name))))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_every_family_that_the_catalog_says_is_proved_has_a_twin_here():
    catalog = read_catalog()
    assert {catalog.row(row).family.name for row in ROW_OF.values()} == {
        name for name, family in catalog.families.items() if family.twin
    }
    assert {row.family.name for row in catalog.rows.values() if Route.TRANSFORMERS in row.routes} == {
        row.family.name for row in catalog.rows.values() if row.proof(Route.TRANSFORMERS) is Proof.TINY_TWIN
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_a_request_is_checked_and_answered(name, adapter, twin):
    model = adapter(name)
    request = tiny_request()
    assert [one.message for one in model.check(request) if one.severity is Severity.ERROR] == []
    pieces: list[str] = []
    answer = model.ask(request, on_text=pieces.append, cancelled=never)
    assert "".join(pieces).strip() == answer.text != ""
    assert answer.model == str(twin(name))
    assert answer.usage.output_tokens == 8
    assert (answer.status, answer.finish_reason) == (GenerationStatus.CUT, "length")
    assert {"max_new_tokens": 8, "do_sample": True, "temperature": 0.7, "top_p": 1.0, "top_k": 50, "seed": 0,
            "repetition_penalty": 1.0, "num_beams": 1}.items() <= answer.sent.items()  # fmt: skip
    assert {"transformers", "torch", "device", "dtype", "attention"} <= set(answer.engine)
    assert (answer.engine["dtype"], answer.engine["attention"]) == ("float32", "sdpa")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_answer_is_that_of_bare_generate(name, adapter, twin):
    """Witness: transformers alone, asked as its documentation shows, with the same seed."""
    import torch
    import transformers

    request = tiny_request(seed=3, max_new_tokens=12)
    model = adapter(name)
    ours = model.ask(request, cancelled=never)
    loaded = model._loaded  # the processor is the same: stock AutoProcessor needs torchvision for some families
    bare = transformers.AutoModelForImageTextToText.from_pretrained(twin(name), dtype=torch.float32)
    inputs, _ = prepare(twin_row(name, twin(name)), loaded.processor, request)
    torch.manual_seed(3)
    with torch.inference_mode():
        everything = bare.generate(**inputs, do_sample=True, temperature=0.7, top_k=50, top_p=1.0, max_new_tokens=12)
    new = everything[0, inputs["input_ids"].shape[1] :]
    assert loaded.processor.tokenizer.decode(new, skip_special_tokens=True).strip() == ours.text
    assert (ours.usage.input_tokens, ours.usage.output_tokens) == (inputs["input_ids"].shape[1], len(new))


@pytest.mark.parametrize("name", FAMILIES)
def test_pixels_reach_the_logits(name, adapter):
    """Other pictures, and the same in another order, must move what the model says next."""
    import torch

    model = adapter(name)
    model.ask(tiny_request(), cancelled=never)
    loaded, row = model._loaded, model._row

    def logits(request: Request):
        with torch.inference_mode():
            return loaded.model(**prepare(row, loaded.processor, request)[0]).logits[0, -1]

    shown = logits(tiny_request())
    assert torch.equal(shown, logits(tiny_request()))
    assert float((shown - logits(tiny_request(first_seed=50))).abs().max()) > 1e-4
    turned = replace(tiny_request(), pictures=pictures()[::-1])
    assert float((shown - logits(turned)).abs().max()) > 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_text_and_another_seed_another(name, adapter):
    model = adapter(name)

    def text(**options: object) -> str:
        return model.ask(tiny_request(max_new_tokens=16, **options), cancelled=never).text

    assert text(seed=1) == text(seed=1) != text(seed=2)
    assert text(seed=1, temperature=0) == text(seed=2, temperature=None)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_picture_has_its_place_and_both_texts_are_in_the_prompt(name, adapter):
    model = adapter(name)
    model.ask(tiny_request(max_new_tokens=1), cancelled=never)
    loaded = model._loaded
    three, _ = prepare(model._row, loaded.processor, tiny_request())
    none, _ = prepare(model._row, loaded.processor, tiny_request(count=0))
    six, _ = prepare(model._row, loaded.processor, tiny_request(count=6))
    place = getattr(loaded.model.config, "image_token_id", None) or loaded.model.config.image_token_index
    counts = [int((one["input_ids"] == place).sum()) for one in (none, three, six)]
    assert counts == [0, PICTURE_TOKENS[name], 2 * PICTURE_TOKENS[name]]
    prompt = loaded.processor.tokenizer.decode(three["input_ids"][0])
    assert prompt.index(SYSTEM) < prompt.index(USER)
    assert (three["input_ids"][0] == place).nonzero().max() < three["input_ids"].shape[1] - 10  # before the text


@pytest.mark.parametrize("name", FAMILIES)
def test_placeholders_in_the_text_are_no_pictures(name, adapter):
    """The benchmark's own prompt has ``<image> <image> <image>``; a family's own words must not break it either."""
    model = adapter(name)
    typed = " ".join(model._row.family.placeholders) + "\n" + USER
    plain, changed = (model.ask(tiny_request(user=text), cancelled=never) for text in (USER, typed))
    assert changed.text == plain.text
    assert "placeholders" not in plain.sent
    assert changed.sent["placeholders"] == "removed"
    benchmark = model.ask(tiny_request(user="<image> <image> <image>\n" + USER), cancelled=never)
    kept = "<image>" not in model._row.family.placeholders
    assert (benchmark.usage.input_tokens > plain.usage.input_tokens) is kept
    assert [one.message for one in model.check(tiny_request(user=typed)) if "in its text" in one.message]


def test_a_model_without_a_system_role_still_gets_the_system_text(adapter):
    """LLaVA-Med's template refuses a system turn, and others drop it without a word."""
    answer = adapter("llava_mistral").ask(tiny_request(), cancelled=never)
    assert answer.sent["system_text"] == "in the user turn"
    assert "system_text" not in adapter("llava").ask(tiny_request(), cancelled=never).sent


@pytest.mark.parametrize("name", ["qwen2_vl", "qwen2_5_vl", "internvl", "llava", "llava_next", "gemma3"])
def test_checkpoints_as_they_are_published_load_whole_and_answer_the_same(name, adapter, own_twin):
    """The hub's files were saved by older versions, with other names for settings and weights."""
    old = TransformersAdapter(twin_row(name, as_on_the_hub(own_twin(name))))
    request = tiny_request(max_new_tokens=12)
    assert [one.message for one in old.check(request) if one.severity is Severity.ERROR] == []
    answer = old.ask(request, cancelled=never)
    old.close()
    assert answer.text == adapter(name).ask(request, cancelled=never).text
    assert "unused_weights" not in answer.engine


def test_the_rule_of_qwen_is_its_own_processors():
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    rule = read_catalog().families["qwen2_5_vl"]
    for width in (60, 200, 219, 511, 1024, 3000, 9000):
        for height in (60, 219, 777, 1536, 8000):
            high, wide = smart_resize(height, width, 28, rule.min_pixels, rule.max_pixels)
            assert picture_tokens(rule, width, height) == high * wide // 784 + 2


def test_the_rule_of_internvl_is_its_own_processors():
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import get_optimal_tiled_canvas

    rule = read_catalog().families["internvl"]
    for width in (30, 200, 219, 448, 512, 1024, 1536, 3000):
        for height in (40, 219, 449, 768, 1024, 2000):
            columns, rows = get_optimal_tiled_canvas((height, width), (448, 448), 1, 12)
            tiles = columns * rows + (columns * rows > 1)
            assert picture_tokens(rule, width, height) == 256 * tiles + 2
