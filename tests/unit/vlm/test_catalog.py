"""The catalog of models: the shipped rows, the user's own, and what is wrong in a file, said in one sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pet2rep_core.errors import Pet2RepError, SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR
from pet2rep_core.ui.sentences import error_in_language
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.catalog import LOCAL_SERVER, read_catalog
from pet2rep_core.vlm.model_row import OPTIONS, Group, PictureRule, Proof, Status, on_this_machine
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.published import read_published

CATALOG = read_catalog()
ROWS = list(CATALOG.rows.values())
# The issue's list, by words that a person would look for.
NAMED_BY_THE_ISSUE = (
    "Template Baseline", "Qwen2.5-VL-7B", "Qwen2.5-VL-32B", "Qwen2.5-VL-72B", "InternVL3-8B", "InternVL3-14B",
    "InternVL3-38B", "InternVL3-78B", "Yi-VL-6B", "Yi-VL-34B", "LLaVA-v1.5-7B", "OmniLMM-12B", "VisualGLM-6B",
    "DeepSeek-VL2", "LLaVA-Med", "Med-Flamingo", "Qilin-Med-VL", "RadFM", "MedDr", "HuatuoGPT-Vision", "MedVLM-R1",
    "MedGemma-4B", "MedGemma-27B", "Lingshu-7B", "Lingshu-32B", "Gemini 2.5 Pro", "GPT-4o", "Moonshot-v1",
    "Qwen-VL-Max", "Claude", "GPT-6", "Gemini 3", "Qwen3-VL", "InternVL3.5", "MedGemma 1.5", "Lingshu-I",
)  # fmt: skip
OWN_ROW = """
[[model]]
id = "ward-model"
label = "Ward model"
group = "medical"
routes = ["transformers", "openai"]
family = "qwen2_5_vl"
repo = "/weights/ward"
"""


@pytest.fixture
def own(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", NAMED_BY_THE_ISSUE)
def test_every_model_that_the_paper_and_the_issue_name_has_a_row(name):
    assert [row.id for row in ROWS if name.casefold() in row.label.casefold()]


def test_every_name_of_table_1_hangs_on_a_row_of_its_group():
    with (DATA_DIR / "table1.csv").open(encoding="utf-8") as file:
        printed = {(r["group"], r["model"]) for r in csv.DictReader(line for line in file if line[0] != "#")}
    assert len(printed) == 25
    assert {(row.group.value, name) for row in ROWS for name in row.paper_rows} == printed
    assert {one.model for one in read_published() if not CATALOG.of_paper(one.model)} == set()
    assert [row.id for row in CATALOG.of_paper("HuatuogPT-Vision")] == ["huatuogpt-vision-7b", "huatuogpt-vision-34b"]
    assert all(row.paper_note for row in CATALOG.of_paper("HuatuogPT-Vision"))


def test_the_built_in_models_are_rows_too():
    built_in = [row for row in ROWS if Route.BUILT_IN in row.routes]
    assert [row.id for row in built_in] == list(BUILT_IN_MODELS)
    for row in built_in:
        built = BUILT_IN_MODELS[row.id]
        assert row.label == built.label
        assert row.note.startswith(built.description[:30])
        assert row.group is Group.BASELINE


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_every_row_says_what_a_user_needs(row):
    assert row.status_date.startswith("2026-")
    assert row.status_source
    assert row.id == row.id.lower()
    for route in row.routes:
        assert row.proof(route) is not Proof.NOT_PROVED
        assert row.accepted(route) <= set(OPTIONS)
    if Route.TRANSFORMERS in row.routes:
        assert "/" in row.repo
        assert row.context
        assert row.memory_gb
    if Route.OPENAI in row.routes and row.repo:
        assert row.is_local_server
        assert not row.leaves_machine(Route.OPENAI)
    if row.group is Group.CLOSED:
        assert row.key_env
        assert all(row.leaves_machine(route) for route in row.routes)
    if Route.IMPORT in row.routes:
        assert not row.leaves_machine(Route.IMPORT)
        assert row.accepted(Route.IMPORT) == frozenset()
    if row.prices:
        assert row.prices.date
        assert row.prices.source
        assert 0 < row.prices.input < row.prices.output
    if row.family.rule is PictureRule.UNKNOWN:
        assert Route.TRANSFORMERS not in row.routes


def test_no_price_is_given_where_no_source_has_one():
    assert {row.id for row in ROWS if row.prices} == {
        "gemini-2.5-pro", "gpt-4o", "gpt-6.2-sol", "gpt-6.2-astra", "gpt-5.5", "gemini-3.1-pro-preview",
        "claude-opus-5-5", "claude-sonnet-5-5",
    }  # fmt: skip


def test_options_follow_the_route():
    lingshu, claude, gpt = (CATALOG.row(name) for name in ("lingshu-7b", "claude-opus-5-5", "gpt-6.2-sol"))
    assert lingshu.accepted(Route.TRANSFORMERS) == set(OPTIONS)
    assert lingshu.extra_body == ("top_k", "repetition_penalty")
    assert claude.accepted(Route.ANTHROPIC) == {"max_new_tokens"}
    assert (gpt.limits["temperature"], gpt.length_option.value) == ((1.0, 1.0), "max_completion_tokens")
    assert gpt.thinking_counts


def test_the_image_tag_of_the_benchmarks_prompt_is_removed_where_it_would_be_a_picture():
    rules = {name: CATALOG.row(name).image_token_rule for name in ("llava-1.5-7b", "deepseek-vl2", "qwen2.5-vl-7b")}
    assert rules == {"llava-1.5-7b": "removed", "deepseek-vl2": "removed", "qwen2.5-vl-7b": "plain"}


def test_a_model_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"There is no model named 'lingshu-7'\. Did you mean 'lingshu-7b'\?"):
        CATALOG.row("lingshu-7")


def test_rows_of_the_user_are_added_and_change_the_keys_that_they_name(own):
    catalog = read_catalog(own(OWN_ROW + '[[model]]\nid = "lingshu-7b"\nrepo = "/weights/lingshu"\nmemory_gb = 9.5\n'))
    assert list(catalog.rows) == [*CATALOG.rows, "ward-model"]
    new, changed, before = catalog.row("ward-model"), catalog.row("lingshu-7b"), CATALOG.row("lingshu-7b")
    assert (new.base_url, new.api_model, new.status) == (LOCAL_SERVER, "/weights/ward", Status.UNKNOWN)
    assert (changed.repo, changed.memory_gb) == ("/weights/lingshu", 9.5)
    assert (changed.label, changed.context, changed.family) == (before.label, before.context, before.family)
    assert changed.leaves_machine(Route.OPENAI) is False
    assert (new.source_file, before.source_file) == ("own.toml", "models.toml")


def test_a_server_of_the_house_needs_no_key_and_is_outside_this_machine(own):
    row = read_catalog(own('[[model]]\nid = "lingshu-7b"\nbase_url = "http://gpu-server:8000/v1"\n')).row("lingshu-7b")
    assert (row.api_model, row.key_env) == ("lingshu-medical-mllm/Lingshu-7B", "")
    assert (row.leaves_machine(Route.OPENAI), row.leaves_machine(Route.TRANSFORMERS)) == (True, False)


def test_a_family_of_the_user_is_taken(own):
    text = OWN_ROW.replace("qwen2_5_vl", "ward") + (
        '[family.ward]\narchitectures = ["WardForConditionalGeneration"]\nrule = "fixed"\ntokens = 64\n'
    )
    row = read_catalog(own(text)).row("ward-model")
    assert (row.family.name, row.family.tokens, row.proof(Route.TRANSFORMERS)) == ("ward", 64, Proof.NOT_PROVED)


def test_the_users_file_is_found_in_the_home_and_by_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path))
    assert "ward-model" not in read_catalog().rows
    (tmp_path / "models.toml").write_text(OWN_ROW, encoding="utf-8")
    assert "ward-model" in read_catalog().rows
    other = tmp_path / "other.toml"
    other.write_text(OWN_ROW.replace("ward-model", "other-model"), encoding="utf-8")
    monkeypatch.setenv("PET2REP_MODELS", str(other))
    assert {"ward-model", "other-model"} & set(read_catalog().rows) == {"other-model"}
    monkeypatch.setenv("PET2REP_MODELS", str(tmp_path / "gone.toml"))
    with pytest.raises(SettingsError, match=r"models gone\.toml cannot be read: No such file.*PET2REP_MODELS"):
        read_catalog()


WRONG = {
    "no toml": ("[[model", r"own\.toml cannot be read: .*TOML in UTF-8"),
    "other table": ("[models]\n", r"own\.toml has 'models' at its top"),
    "model is a table": ('[model]\nid = "x"\n', r"own\.toml has no rows that can be read"),
    "no id": ('[[model]]\nlabel = "x"\n', r"The model 1 of own\.toml has no id"),
    "twice": (OWN_ROW + OWN_ROW, r"The model 'ward-model' stands twice in own\.toml"),
    "bad id": (OWN_ROW.replace("ward-model", "Ward Model"), "A model has the id 'Ward Model'"),
    "no label": (OWN_ROW.replace('label = "Ward model"\n', ""), r"'ward-model' has no 'label'\. Add label .*own\.toml"),
    "unknown key": (OWN_ROW + "contxt = 5\n", r"'ward-model' has the key 'contxt', .*Did you mean 'context'\?"),
    "unknown group": (OWN_ROW.replace("medical", "surgical"), r"'ward-model' has 'surgical' as 'group'\. Use one of"),
    "unknown route": (OWN_ROW.replace("openai", "carrier pigeon"), r"'carrier pigeon' as 'routes'"),
    "no routes": (OWN_ROW.replace('["transformers", "openai"]', "[]"), "'ward-model' has no route"),
    "routes are a text": (OWN_ROW.replace('["transformers", "openai"]', '"openai"'), "Give a list of texts"),
    "unknown family": (OWN_ROW.replace("qwen2_5_vl", "qwen2_6_vl"), r"no family of models named 'qwen2_6_vl'\. Did"),
    "no class": (OWN_ROW.replace("qwen2_5_vl", "own_code"), "family 'own_code' has no class there"),
    "no repo": (OWN_ROW.replace('repo = "/weights/ward"\n', ""), "has the route 'transformers' and no 'repo'"),
    "built in": (OWN_ROW.replace('["transformers", "openai"]', '["built-in"]'), "none of the program's own"),
    "context is text": (OWN_ROW + 'context = "32k"\n', r"'ward-model' has '32k' as 'context'\. Give a whole number"),
    "context is 0": (OWN_ROW + "context = 0\n", r"'ward-model' has 0 as 'context'\. Give a number above 0"),
    "memory is nan": (OWN_ROW + "memory_gb = nan\n", "'ward-model' has nan as 'memory_gb'"),
    "true is no number": (OWN_ROW + "size_b = true\n", "'ward-model' has True as 'size_b'"),
    "no option": (OWN_ROW + 'accepts = ["beams"]\n', "names the option 'beams', which no request has"),
    "limits": (OWN_ROW + "limits = { temperature = [2, 1] }\n", r"has \[2, 1\] as limits of 'temperature'"),
    "limits of nothing": (OWN_ROW + "limits = 3\n", "'ward-model' is no table"),
    "no address": (OWN_ROW + 'base_url = "127.0.0.1:8000"\n', "'base_url' that is no http or https address"),
    "port": (OWN_ROW + 'base_url = "http://127.0.0.1:x"\n', "'base_url' that is no http or https address"),
    "key in address": (OWN_ROW + 'base_url = "https://me:geheim@host/v1"\n', "more than an address in it"),
    "price": (OWN_ROW + 'prices = { input = 1, output = 2, currency = "USD" }\n', "prices without 'date'"),
    "price below 0": (
        OWN_ROW + 'prices = { input = -1, output = 2, currency = "USD", date = "2026", source = "x" }\n',
        "has a price below 0",
    ),
    "family without numbers": ('[family.ward]\nrule = "tiles"\nside = 8\ntokens = 3\n', "and has no 'max_tiles'"),
    "family is a text": ('[family]\nward = "x"\n', "'family.ward' is no table"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(WRONG))
def test_what_is_wrong_in_a_file_is_one_sentence_with_row_and_key(what, own):
    text, said = WRONG[what]
    with pytest.raises(Pet2RepError, match=said) as caught:
        read_catalog(own(text))
    assert "geheim" not in str(caught.value)
    chinese = error_in_language(caught.value, Language.CHINESE)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in part) for part in chinese)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:30000", True),
        ("http://[::1]:8000/v1", True),
        ("http://127.8.9.10/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://localhost@example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://192.168.1.5:8000/v1", False),
        ("http://0.0.0.0:8000/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(url, here):
    assert on_this_machine(url) is here


def test_rows_are_read_only():
    with pytest.raises(TypeError):
        CATALOG.rows["x"] = ROWS[0]
    with pytest.raises(AttributeError):
        ROWS[0].label = "x"
    assert json.dumps(sorted(CATALOG.families))
