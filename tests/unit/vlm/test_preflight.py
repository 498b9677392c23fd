"""What is found before anything is sent, from the row and the request alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pet2rep_core.prompts.prompt import read_prompt, render_prompt
from pet2rep_core.records import Language
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.model_row import Family
from pet2rep_core.vlm.preflight import (
    check_options,
    check_pictures,
    check_placeholders,
    check_request,
    check_window,
    estimate_price,
    estimate_tokens,
    fit_options,
    picture_tokens,
    text_tokens,
    without_placeholders,
)
from pet2rep_core.vlm.request import Options, Request, Route, Severity
from tests.tiny_models import pictures, tiny_request

CATALOG = read_catalog()
# Witness: the processors' own arithmetic in transformers 5.23 at the published settings of each family.
SIZES = ((200, 219), (256, 512), (512, 1024), (1024, 1024), (768, 1536))
MEASURED = {
    "qwen2_5_vl": (56, 162, 666, 1369, 1485),
    "qwen2_vl": (56, 162, 666, 1369, 1485),
    "qwen3_vl": (72, 128, 512, 1024, 1152),
    "internvl": (256, 768, 768, 2560, 2304),
    "llava": (576, 576, 576, 576, 576),
    "gemma3": (256, 256, 256, 256, 256),
    "deepseek_vl_v2": (421, 421, 421, 421, 421),
}


@pytest.mark.parametrize("family", sorted(MEASURED))
def test_tokens_of_pictures_are_those_of_the_processors(family):
    rule = CATALOG.families[family]
    assert tuple((picture_tokens(rule, *size) or 0) - rule.marks for size in SIZES) == MEASURED[family]


def test_a_huge_and_a_tiny_picture_stay_within_the_familys_pixels():
    rule = CATALOG.families["qwen2_5_vl"]
    assert picture_tokens(rule, 20_000, 20_000) == 127 * 127 + 2  # 12,845,056 pixels are 3,584 x 3,584
    assert picture_tokens(rule, 10, 10) == 4 + 2
    assert picture_tokens(Family("nobody knows"), 200, 200) is None


def test_rates_of_vendors_are_those_that_others_measured():
    # huggingface.co/datasets/JOHNISKING/image-token-cost, without the 77 tokens of its prompt for Claude
    claude, gpt = CATALOG.families["claude"], CATALOG.families["gpt"]
    assert [picture_tokens(claude, n, n) for n in (256, 512, 768, 1024)] == [100, 361, 784, 1369]
    assert [picture_tokens(gpt, n, n) for n in (256, 512, 768, 1024)] == [77, 308, 692, 1229]


def test_tokens_of_text_are_near_the_measured_ones():
    """The benchmark's prompt of 1,189 characters took 939 tokens of Qwen and 1,879 of LLaMA; ours is a like text."""
    text = paper_request(6).user
    rates = {name: text_tokens(CATALOG.families[name], text) / len(text) for name in ("qwen2_5_vl", "llava")}
    assert rates["qwen2_5_vl"] == pytest.approx(939 / 1189, abs=0.12)
    assert rates["llava"] == pytest.approx(1879 / 1189, abs=0.25)
    assert text_tokens(CATALOG.families["qwen2_5_vl"], "The liver is normal.") == 7


@pytest.mark.parametrize(
    ("family", "text", "left"),
    [
        ("llava", "<image> <image> <image>\n请书写报告", "请书写报告"),
        ("llava", "图像<image>，报告", "图像，报告"),
        ("llava", "a\n  <image>\nb", "a\nb"),
        ("llava", "no picture", "no picture"),
        ("qwen2_5_vl", "<image> <image>\n报告", "<image> <image>\n报告"),
        ("qwen2_5_vl", "x<|vision_start|><|image_pad|><|vision_end|>y", "xy"),
        ("internvl", "<IMG_CONTEXT>\n报告", "报告"),
        ("gemma3", "<start_of_image>报告", "报告"),
        ("deepseek_vl", "<image_placeholder><image>", "<image>"),
        ("own_code", "<image>", "<image>"),
    ],
)
def test_placeholders_are_taken_out_where_the_family_has_them(family, text, left):
    assert without_placeholders(CATALOG.families[family], text) == left


def test_placeholders_are_said():
    [finding] = check_placeholders(CATALOG.row("llava-1.5-7b"), tiny_request(user="<image> <image>\n报告"))
    assert (finding.severity, finding.message) == (
        Severity.WARNING,
        "The prompt has <image> in its text, which LLaVA-v1.5-7B would read as a picture.",
    )
    assert check_placeholders(CATALOG.row("qwen2.5-vl-7b"), tiny_request(user="<image>\n报告")) == []


def test_too_many_pictures_are_an_error_and_more_than_trained_a_warning():
    yi, llava = CATALOG.row("yi-vl-6b"), CATALOG.row("llava-1.5-7b")
    [error] = check_pictures(yi, tiny_request(count=3))
    assert (error.severity, error.message) == (
        Severity.ERROR, "Yi-VL-6B takes 1 pictures in a request, and this one has 3."
    )  # fmt: skip
    [warning] = check_pictures(llava, tiny_request(count=6))
    assert warning.severity is Severity.WARNING
    assert check_pictures(yi, tiny_request(count=1)) == check_pictures(llava, tiny_request(count=1)) == []


def test_options_are_fitted_to_the_route():
    default = Options()
    local = fit_options(CATALOG.row("lingshu-7b"), Route.TRANSFORMERS, default)
    assert (local.options, local.left_out, local.changed) == (default, (), ())
    claude = fit_options(CATALOG.row("claude-opus-5-5"), Route.ANTHROPIC, default)
    assert claude.options.sent() == {"max_new_tokens": 1024}
    assert claude.left_out == ("temperature", "top_p", "top_k", "repetition_penalty", "seed")
    four = fit_options(CATALOG.row("gpt-4o"), Route.OPENAI, default)
    assert four.options.sent() == {"max_new_tokens": 1024, "temperature": 0.7, "top_p": 1.0, "seed": 0}
    moon = fit_options(CATALOG.row("moonshot-v1"), Route.OPENAI, Options(temperature=1.4))
    assert (moon.options.temperature, moon.changed) == (1.0, (("temperature", 1.4, 1.0),))
    long = fit_options(CATALOG.row("qwen-vl-max"), Route.OPENAI, Options(max_new_tokens=20_000))
    assert (long.options.max_new_tokens, long.changed) == (8192, (("max_new_tokens", 20_000, 8192),))


def test_what_is_not_sent_is_said():
    findings = check_options(CATALOG.row("gpt-6.2-sol"), Route.OPENAI, Options())
    assert [one.message for one in findings] == [
        "GPT-6.2 Sol does not take temperature, top_p, top_k, repetition_penalty, seed.",
        "GPT-6.2 Sol thinks before it answers, and that may use up 1024 new tokens.",
    ]
    assert {one.severity for one in findings} == {Severity.WARNING}
    [changed] = check_options(CATALOG.row("moonshot-v1"), Route.OPENAI, Options(
        temperature=1.5, top_k=None, repetition_penalty=None, seed=None
    ))  # fmt: skip
    assert (changed.message, changed.hint[:16]) == (
        "Moonshot-v1 (vision) does not take temperature = 1.5.",
        "It is sent as 1,",
    )
    assert check_options(CATALOG.row("lingshu-7b"), Route.TRANSFORMERS, Options()) == []


def paper_request(count: int, **options: int) -> Request:
    setting = "fused" if count == 3 else "separate"
    prompt = render_prompt(read_prompt("standard", Language.CHINESE), input_setting=setting, n_images=count)
    return Request(prompt.system, prompt.user, pictures(count), Options(**options))


def test_windows_that_are_too_short_are_found():
    """Witness: the sums of the paper's prompt for the windows of its models."""
    llava, deepseek = CATALOG.row("llava-1.5-7b"), CATALOG.row("deepseek-vl2")
    assert check_window(CATALOG.row("lingshu-7b"), paper_request(6)) == []
    [six] = check_window(llava, paper_request(6))
    assert six.message.startswith("LLaVA-v1.5-7B has a window of 4096 tokens; the prompt takes about ")
    assert check_window(llava, paper_request(1, max_new_tokens=64)) == []
    assert six.hint == "Give fewer or smaller pictures, or a shorter prompt."
    assert [one.severity for one in check_window(deepseek, paper_request(6))] == [Severity.WARNING]
    assert check_window(deepseek, paper_request(3)) == []
    assert check_window(CATALOG.row("meddr"), paper_request(6)) == []  # nobody says what its window is


def test_an_exact_count_is_an_error_and_says_what_is_left():
    row = CATALOG.row("llava-1.5-7b")
    [finding] = check_window(row, tiny_request(max_new_tokens=1024), prompt_tokens=3800)
    assert (finding.severity, finding.message) == (
        Severity.ERROR,
        "LLaVA-v1.5-7B has a window of 4096 tokens; the prompt takes 3800 and the answer up to 1024.",
    )
    assert finding.hint == "Give at most 296 new tokens, or fewer or smaller pictures."
    [full] = check_window(row, tiny_request(), prompt_tokens=4096)
    assert full.hint == "Give fewer or smaller pictures, or a shorter prompt."
    assert check_window(row, tiny_request(max_new_tokens=96), prompt_tokens=4000) == []
    assert len(check_window(row, tiny_request(max_new_tokens=96), prompt_tokens=4000, window=2048)) == 1


def test_prices_are_estimated_from_above_and_not_invented():
    opus = CATALOG.row("claude-opus-5-5")
    request = tiny_request(count=3, max_new_tokens=8192)
    price, estimate = estimate_price(opus, request), estimate_tokens(opus, request)
    assert estimate.pictures == 3 * 8 * 8
    assert price == pytest.approx((estimate.prompt * 4 + 8192 * 20) / 1e6)
    assert estimate_price(CATALOG.row("gemini-3.8-flash"), request) is None
    assert estimate_price(CATALOG.row("hulu-med-7b"), request) is None
    free = replace(CATALOG.row("hulu-med-7b"), prices=opus.prices)
    assert estimate_price(free, request) is None  # its pictures cannot be counted


def test_everything_is_asked_together():
    request = replace(tiny_request(user="<image>报告", count=6), options=Options(max_new_tokens=4000))
    findings = check_request(CATALOG.row("llava-1.5-7b"), Route.OPENAI, request)
    assert [one.severity for one in findings] == [Severity.WARNING, Severity.WARNING, Severity.WARNING]
    assert check_request(CATALOG.row("qwen2.5-vl-7b"), Route.TRANSFORMERS, tiny_request(count=6)) == []
