"""Prompts: read, rendered, refused."""

import pytest

from pet2rep_core.errors import ReportParseError, SettingsError, UnknownNameError
from pet2rep_core.prompts.prompt import list_prompts, read_benchmark_prompt, read_prompt, render_prompt
from pet2rep_core.records import POSITIVE_STATES, Language
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.sections import split_report
from pet2rep_core.report.slots import SlotKind, find_slots, strip_slots
from pet2rep_core.report.uptake import extract_uptake

RECORD = {
    "patient_id": "x",
    "prompt_system": "system",
    "prompt_user_text": "看图<image> <image>，改[]和【】。\n格式：\n脑[正常]，FDG【摄取正常】。\n肝[正常]。",
}


@pytest.mark.parametrize("language", list(Language))
def test_template_names_every_organ_in_order_and_carries_eight_abnormal_uptakes(language):
    template = read_prompt("standard", language).template
    found = extract_uptake(split_report(strip_slots(template)).findings, language)
    assert [item.organ for item in found] == [organ.id for organ in read_lexicon().organs]
    assert sum(item.states[0] in POSITIVE_STATES for item in found) == 8
    named = {item.organ: item.evidence[0].organ_start for item in found}
    assert list(named.values()) == sorted(named.values())
    assert {slot.kind for slot in find_slots(template)} == {SlotKind.CT, SlotKind.PET}


@pytest.mark.parametrize("language", list(Language))
def test_normal_fills_fit_the_same_slots(language):
    prompt = read_prompt("standard", language)
    assert prompt.normal_template is not None
    kinds = [[slot.kind for slot in find_slots(text)] for text in (prompt.template, prompt.normal_template)]
    assert kinds[0] == kinds[1]


def test_the_program_has_one_standard_prompt_per_language():
    assert list_prompts() == (("standard", Language.ENGLISH), ("standard", Language.CHINESE))


def test_the_hash_covers_all_that_reaches_a_model():
    prompt = read_prompt("standard", Language.ENGLISH)
    one = render_prompt(prompt, input_setting="fused", n_images=3)
    assert one == render_prompt(prompt, input_setting="fused", n_images=3)
    assert one.sha256 != render_prompt(prompt, input_setting="separate", n_images=3).sha256
    assert prompt.sha256 != read_prompt("standard", Language.CHINESE).sha256


def test_benchmark_record_renders_its_own_text_again():
    prompt = read_benchmark_prompt(RECORD)
    assert prompt.template == "脑[正常]，FDG【摄取正常】。\n肝[正常]。"
    rendered = render_prompt(prompt, input_setting="fused", n_images=2)
    assert (rendered.system, rendered.user) == ("system", RECORD["prompt_user_text"])
    assert "<image> <image> <image>" in render_prompt(prompt, input_setting="separate", n_images=3).user


@pytest.mark.parametrize(
    ("record", "message"),
    [({}, "no text under 'prompt_user_text'"), ({"prompt_user_text": "改[]和【】。"}, "holds no template")],
)
def test_a_record_without_a_template_is_refused(record, message):
    with pytest.raises(ReportParseError, match=message):
        read_benchmark_prompt(record)


def test_wrong_requests_are_refused():
    prompt = read_prompt("standard", Language.ENGLISH)
    with pytest.raises(UnknownNameError, match="no input setting named 'both'"):
        render_prompt(prompt, input_setting="both", n_images=3)
    with pytest.raises(SettingsError, match="at least one image, not 0"):
        render_prompt(prompt, input_setting="fused", n_images=0)
    with pytest.raises(UnknownNameError, match="no en prompt named 'standart'"):
        read_prompt("standart", Language.ENGLISH)


def test_a_prompt_file_whose_fills_do_not_fit_is_refused(tmp_path):
    path = tmp_path / "own_en.toml"
    path.write_text(
        'system = "s"\ntask = "t"\n[images]\nseparate = "a"\nfused = "b"\n'
        '[[part]]\ntext = "[] 【】"\nexample = ["x"]\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError, match=r"own_en\.toml cannot be read: The template has 2 slots, and 1 fills"):
        read_prompt("own", Language.ENGLISH, tmp_path)
