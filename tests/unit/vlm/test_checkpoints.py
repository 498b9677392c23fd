"""Weights on this machine: what is wrong with a folder is said before anything is loaded, with what helps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pet2rep_core.errors import ModelUnavailableError
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.checkpoint import check_checkpoint, find_checkpoint, is_local_path
from pet2rep_core.vlm.request import Severity

CATALOG = read_catalog()
CONFIG = {
    "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", "dtype": "bfloat16",
    "text_config": {"max_position_embeddings": 128000},
}  # fmt: skip


@pytest.fixture
def weights(tmp_path):
    """Make a folder that looks like whole weights; ``changes`` go into config.json, files are added."""

    def make(changes=None, *, files=None, shards=("model.safetensors",)):
        folder = tmp_path / "weights"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({**CONFIG, **(changes or {})}), encoding="utf-8")
        for name in shards:
            (folder / name).write_bytes(b"x" * 4000)
        for name, content in (files or {}).items():
            (folder / name).write_text(content, encoding="utf-8")
        return folder

    return make


def row_at(folder):
    return replace(CATALOG.row("lingshu-7b"), repo=str(folder))


def test_whole_weights_are_found_with_their_size_and_window(weights):
    found = find_checkpoint(row_at(weights()))
    assert (found.window, found.weight_bytes, found.revision) == (128000, 4000, "")
    assert [found.memory_bytes(size) for size in (2, 4)] == [4000, 8000]


def test_quantised_weights_take_what_they_take(weights):
    found = find_checkpoint(row_at(weights({"quantization_config": {"bits": 4}})))
    assert found.memory_bytes(4) == 4000


def test_several_shards_are_counted(weights):
    index = json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})
    folder = weights(files={"model.safetensors.index.json": index}, shards=("m-1.safetensors", "m-2.safetensors"))
    assert find_checkpoint(row_at(folder)).weight_bytes == 8000


WRONG_FORMATS = {
    # model_type llava passes AutoConfig, and transformers would load it as random numbers
    "original LLaVA, Yi-VL, Qilin": ("llava", "LlavaLlamaForCausalLM"),
    "original LLaVA-Med": ("llava_mistral", "LlavaMistralForCausalLM"),
    "HuatuoGPT-Vision": ("llava_qwen2", "LlavaQwen2ForCausalLM"),
    "DeepSeek-VL2": ("deepseek_vl_v2", "DeepseekVLV2ForCausalLM"),
    "original InternVL": ("internvl_chat", "InternVLChatModel"),
    "text only": ("gemma3_text", "Gemma3ForCausalLM"),
}


@pytest.mark.parametrize("what", sorted(WRONG_FORMATS))
def test_weights_of_another_format_are_refused(what, weights):
    kind, architecture = WRONG_FORMATS[what]
    folder = weights({"model_type": kind, "architectures": [architecture]})
    with pytest.raises(ModelUnavailableError) as caught:
        find_checkpoint(replace(CATALOG.row("llava-1.5-7b"), repo=str(folder)))
    assert caught.value.message == (
        f"The weights of 'llava-1.5-7b' are of the format {architecture}, not LlavaForConditionalGeneration."
    )
    assert "-hf" in caught.value.hint


def test_weights_that_do_not_say_their_format_are_refused(weights):
    with pytest.raises(ModelUnavailableError, match=r"of the format qwen2_5_vl, not Qwen2_5_VLFor"):
        find_checkpoint(row_at(weights({"architectures": None})))


def test_a_row_that_names_no_folder_but_a_place_of_none(tmp_path, weights):
    folder = weights()
    cases = {
        str(tmp_path / "gone"): r"The folder '.*gone' with the weights of 'lingshu-7b' is not there\. Correct repo",
        str(folder / "model.safetensors"): r"given as the file 'model\.safetensors'\. Give the folder",
        str(tmp_path): r"has no config\.json\. Did you mean the folder 'weights' in it\?",
        "lingshu": r"The folder 'lingshu' with the weights of 'lingshu-7b' is not there",
        "a/b/c": r"The folder 'a/b/c' with the weights of 'lingshu-7b' is not there",
    }
    for repo, said in cases.items():
        with pytest.raises(ModelUnavailableError, match=said):
            find_checkpoint(row_at(repo))


def test_damaged_folders_are_one_sentence_each(tmp_path, weights):
    index = json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})
    folder = weights(files={"model.safetensors.index.json": index}, shards=("m-1.safetensors",))
    row = row_at(folder)
    with pytest.raises(ModelUnavailableError, match=r"1 of 2 files .* are missing, such as m-2\.safetensors"):
        find_checkpoint(row)
    (folder / "m-2.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ModelUnavailableError, match=r"1 of 2 files .* are missing, .* Copy the whole folder again"):
        find_checkpoint(row)
    (folder / "model.safetensors.index.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelUnavailableError, match=r"list of weights model\.safetensors\.index\.json"):
        find_checkpoint(row)
    (folder / "model.safetensors.index.json").unlink()
    (folder / "m-1.safetensors").unlink()
    (folder / "m-2.safetensors").write_bytes(b"")
    with pytest.raises(ModelUnavailableError, match="has no weights"):
        find_checkpoint(row)
    (folder / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelUnavailableError, match=r"config\.json of 'lingshu-7b' cannot be read"):
        find_checkpoint(row)
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelUnavailableError, match=r"holds an adapter \(LoRA\), not whole weights"):
        find_checkpoint(row)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Give an empty cache of the hub, and let nothing ask the network."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_weights_that_are_not_in_the_cache_come_with_the_command(hub):
    _, [finding] = check_checkpoint(CATALOG.row("lingshu-7b"))
    assert (finding.severity, finding.message, finding.hint) == (
        Severity.ERROR,
        "The weights of 'lingshu-7b' are not on this machine.",
        "Download them with: hf download lingshu-medical-mllm/Lingshu-7B",
    )
    _, [gated] = check_checkpoint(CATALOG.row("medgemma-4b"))
    assert gated.hint.endswith("hf auth login; then: hf download google/medgemma-4b-it")
    _, [odd] = check_checkpoint(row_at("a b/c?d"))
    assert odd.message == "'a b/c?d' is neither a folder nor a repository of the hub."


def test_weights_in_the_cache_are_found_with_their_commit(hub, weights):
    home = hub / "models--lingshu-medical-mllm--Lingshu-7B"
    (home / "snapshots").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0123abcd", encoding="utf-8")
    weights().rename(home / "snapshots" / "0123abcd")
    found = find_checkpoint(CATALOG.row("lingshu-7b"))
    assert found.revision == "0123abcd"
    (home / "snapshots" / "0123abcd" / "model.safetensors").unlink()
    _, [finding] = check_checkpoint(CATALOG.row("lingshu-7b"))
    assert finding.hint == "Download them again with: hf download lingshu-medical-mllm/Lingshu-7B"


@pytest.mark.parametrize(
    ("repo", "local"),
    [("org/name", False), ("/data/w", True), ("~/w", True), ("./w", True), ("a/b/c", True), ("name", True)],
)
def test_a_folder_is_told_from_a_name_of_the_hub(repo, local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_local_path(repo) is local


def test_a_folder_that_is_there_is_no_name_of_the_hub(tmp_path, monkeypatch):
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert is_local_path("org/name")
