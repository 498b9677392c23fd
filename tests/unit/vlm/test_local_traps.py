"""What goes wrong in-process: bad weights, long prompts, full memory, a person who stops it, two at the same time."""

from __future__ import annotations

import json
import threading
import time
import weakref
from dataclasses import replace

import pytest

from pet2rep_core.errors import CancelledError, ModelUnavailableError, ProviderRefusedError, SettingsError
from pet2rep_core.records import GenerationStatus
from pet2rep_core.vlm import local_device, local_weights
from pet2rep_core.vlm.local import TransformersAdapter, sampling_options
from pet2rep_core.vlm.local_device import Setup, choose, is_out_of_memory, memory_of
from pet2rep_core.vlm.local_weights import LoadedModels, Stopped
from pet2rep_core.vlm.request import Options, Severity
from tests.tiny_models import SYSTEM, set_key, tiny_request, twin_row

pytestmark = pytest.mark.slow
NAME = "qwen2_5_vl"


def never() -> bool:
    return False


@pytest.fixture
def open_at():
    """Open adapters on folders; each is closed at the end. They share one holder of weights."""
    models, opened = LoadedModels(), []

    def make(folder, name=NAME, **changes):
        opened.append(TransformersAdapter(replace(twin_row(name, folder), **changes), Setup("cpu"), models))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
    assert models.held == ()


@pytest.fixture
def model(open_at, twin):
    return open_at(twin(NAME))


def errors(adapter, request):
    return [one for one in adapter.check(request) if one.severity is Severity.ERROR]


def change_tensors(folder, change):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def test_weights_with_a_hole_are_refused_and_not_filled_with_random_numbers(open_at, own_twin):
    folder = own_twin(NAME)
    change_tensors(folder, lambda all_of: {k: v for k, v in all_of.items() if "layers.1.mlp.down" not in k})
    with pytest.raises(ModelUnavailableError, match=r"lack 1 parts of the model, such as \S*layers\.1\.mlp\.down_proj"):
        open_at(folder).ask(tiny_request(), cancelled=never)


def test_weights_under_the_names_of_the_original_llava_are_refused(open_at, own_twin):
    """They pass the check of the architecture where someone edited config.json; every key is missing then."""
    folder = own_twin("llava")
    change_tensors(folder, lambda all_of: {f"original.{k}": v for k, v in all_of.items()})
    with pytest.raises(ModelUnavailableError, match=r"lack \d\d parts of the model, .* would be random numbers\. Use"):
        open_at(folder, "llava").ask(tiny_request(), cancelled=never)


def test_weights_of_another_shape_are_refused(open_at, own_twin):
    folder = own_twin(NAME)
    set_key(folder, "text_config.intermediate_size", 64)
    with pytest.raises(ModelUnavailableError, match=rf"'{open_at(folder)._row.id}' (lack|cannot be loaded)"):
        open_at(folder).ask(tiny_request(), cancelled=never)


def test_a_damaged_file_of_weights_is_one_sentence(open_at, own_twin):
    folder = own_twin(NAME)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnavailableError, match=r"cannot be loaded: .*\. Download the weights again\."):
        open_at(folder).ask(tiny_request(), cancelled=never)


def test_a_folder_without_the_processors_files_is_found_before_a_run(open_at, own_twin):
    folder = own_twin(NAME)
    (folder / "processor_config.json").write_text("{", encoding="utf-8")
    [finding] = errors(open_at(folder), tiny_request())
    assert finding.message.startswith("The processor of 'lingshu-7b' cannot be loaded: ")


def test_a_folder_without_a_tokenizer_is_found_before_a_run(open_at, own_twin):
    """transformers makes an empty tokenizer then, and every text has no tokens."""
    folder = own_twin(NAME)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    [finding] = errors(open_at(folder), tiny_request())
    assert finding.message == "The folder of 'lingshu-7b' has no tokenizer."


def test_a_folder_without_a_chat_template_is_found_before_a_run(open_at, own_twin):
    folder = own_twin("llava")
    (folder / "chat_template.jinja").unlink()
    [finding] = errors(open_at(folder, "llava"), tiny_request())
    assert finding.message == "The folder of 'llava-1.5-7b' has no chat template."
    assert "chat_template.jinja" in finding.hint


def test_a_chat_template_that_drops_the_prompt_is_found_before_a_run(open_at, own_twin):
    folder = own_twin("llava")
    (folder / "chat_template.jinja").write_text("USER: hello ASSISTANT:", encoding="utf-8")
    [finding] = errors(open_at(folder, "llava"), tiny_request())
    assert finding.message == "The chat template of 'llava-1.5-7b' drops the prompt."


def test_a_template_that_drops_the_system_text_gets_it_in_the_user_turn(open_at, own_twin):
    folder = own_twin("llava")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    (folder / "chat_template.jinja").write_text(template.replace("{{ m['content'][0]['text'] }} ", ""), "utf-8")
    kept = open_at(own_twin("gemma3"), "gemma3").ask(tiny_request(), cancelled=never)
    moved = open_at(folder, "llava").ask(tiny_request(), cancelled=never)
    assert ("system_text" in kept.sent, moved.sent["system_text"]) == (False, "in the user turn")


def test_a_prompt_beyond_the_window_is_found_and_refused(open_at, own_twin):
    """transformers itself would run it and say nothing."""
    folder = own_twin(NAME)
    set_key(folder, "text_config.max_position_embeddings", 100)
    adapter = open_at(folder)
    [finding] = errors(adapter, tiny_request(max_new_tokens=8))
    assert finding.message == ("Lingshu-7B has a window of 100 tokens; the prompt takes 93 and the answer up to 8.")
    assert finding.hint == "Give at most 7 new tokens, or fewer or smaller pictures."
    with pytest.raises(ProviderRefusedError, match="window of 100 tokens"):
        adapter.ask(tiny_request(max_new_tokens=8), cancelled=never)
    assert errors(adapter, tiny_request(max_new_tokens=7)) == []
    assert adapter.ask(tiny_request(max_new_tokens=7), cancelled=never).usage.output_tokens <= 7


def test_too_many_pictures_are_refused_and_none_is_left_out(open_at, twin):
    adapter = open_at(twin(NAME), max_images=2)
    [finding] = errors(adapter, tiny_request(count=3))
    assert "takes 2 pictures in a request, and this one has 3" in finding.message
    with pytest.raises(ProviderRefusedError, match="takes 2 pictures"):
        adapter.ask(tiny_request(count=3), cancelled=never)


def test_defaults_of_the_checkpoint_change_nothing(open_at, own_twin, model):
    folder = own_twin(NAME)
    (folder / "generation_config.json").write_text(
        json.dumps({
            "do_sample": True, "temperature": 0.01, "top_k": 1, "top_p": 0.1, "repetition_penalty": 5.0,
            "no_repeat_ngram_size": 1, "min_new_tokens": 30, "max_length": 9, "num_beams": 3, "penalty_alpha": 0.6,
            "eos_token_id": 2, "pad_token_id": 0,
        }),
        encoding="utf-8",
    )  # fmt: skip
    spoilt = open_at(folder)
    for options in ({"seed": 4}, {"temperature": 0}, {"top_k": None, "top_p": None, "repetition_penalty": None}):
        request = tiny_request(max_new_tokens=20, **options)
        assert spoilt.ask(request, cancelled=never).text == model.ask(request, cancelled=never).text


def test_an_answer_ends_where_the_checkpoint_says_and_not_at_the_limit(open_at, own_twin, model):
    first = model.ask(tiny_request(max_new_tokens=6, temperature=0), cancelled=never)
    loaded = model._loaded
    ids = loaded.processor.tokenizer(first.text, add_special_tokens=False)["input_ids"]
    folder = own_twin(NAME)
    set_key(folder, "eos_token_id", [2, *range(3, 700)], "generation_config.json")
    ended = open_at(folder).ask(tiny_request(max_new_tokens=6, temperature=0), cancelled=never)
    assert (first.status, first.finish_reason, first.usage.output_tokens) == (GenerationStatus.CUT, "length", 6)
    assert (ended.status, ended.finish_reason, ended.usage.output_tokens) == (GenerationStatus.DONE, "stop", 1)
    assert ids


def test_an_answer_without_words_is_empty(model):
    model.ask(tiny_request(max_new_tokens=1), cancelled=never)
    loaded = model._loaded
    [end] = loaded.eos

    def only_the_end(_module, _inputs, logits):
        logits[..., end] = 1e4
        return logits

    hook = loaded.model.lm_head.register_forward_hook(only_the_end)
    answer = model.ask(tiny_request(), cancelled=never)
    hook.remove()
    assert (answer.status, answer.text, answer.finish_reason) == (GenerationStatus.EMPTY, "", "stop")
    assert answer.usage.output_tokens == 1


def test_options_are_all_given_and_a_missing_seed_is_drawn_and_recorded():
    sampling, sent = sampling_options(Options(top_p=None, top_k=None, repetition_penalty=None, seed=None))
    assert (sampling["top_p"], sampling["top_k"], sampling["repetition_penalty"]) == (1.0, 0, 1.0)
    assert sent["seed"] != sampling_options(Options(seed=None))[1]["seed"]
    for temperature in (0, 0.0, None):
        greedy, _ = sampling_options(Options(temperature=temperature))
        assert greedy == {"max_new_tokens": 1024, "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0}


def test_torchs_random_state_is_left_as_it_was(model):
    import torch

    torch.manual_seed(11)
    before = torch.get_rng_state()
    model.ask(tiny_request(seed=5), cancelled=never)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("pieces", [0, 1, 5])
def test_a_person_stops_it_in_the_middle(model, pieces):
    seen: list[str] = []
    with pytest.raises(CancelledError, match="stopped"):
        model.ask(tiny_request(max_new_tokens=4000), on_text=seen.append, cancelled=lambda: len(seen) >= pieces)
    assert len(seen) <= pieces + 3
    assert model.ask(tiny_request(), cancelled=never).usage.output_tokens == 8


def test_a_person_stops_it_without_a_stream(model):
    asked = iter([False, False, True])
    with pytest.raises(CancelledError):
        model.ask(tiny_request(max_new_tokens=4000), cancelled=lambda: next(asked, True))
    assert not [one for one in threading.enumerate() if one.name == "generate" and one.is_alive()]


def test_a_listener_that_fails_stops_the_computation_with_its_own_error(model):
    def broken(_text: str) -> None:
        raise LookupError("the page is gone")

    with pytest.raises(LookupError, match="the page is gone"):
        model.ask(tiny_request(max_new_tokens=4000), on_text=broken, cancelled=never)
    assert model.ask(tiny_request(), cancelled=never).text


def test_layers_stop_between_each_other(model):
    """A long prompt on a slow machine has no other way out: the first token is far away."""
    model.ask(tiny_request(max_new_tokens=1), cancelled=never)
    loaded = model._loaded
    loaded.stop.set()
    with pytest.raises(Stopped):
        loaded.model(input_ids=loaded.model.dummy_inputs["input_ids"] % 500)
    loaded.stop.clear()


def test_a_slow_layer_does_not_hold_the_person_but_the_next_request_waits_for_it(model, monkeypatch):
    model.ask(tiny_request(max_new_tokens=1), cancelled=never)
    monkeypatch.setattr("pet2rep_core.vlm.local_generation._GRACE_S", 0.05)
    entered, go_on = threading.Event(), threading.Event()

    def slow(_module, _arguments):
        entered.set()
        go_on.wait(20)

    hook = model._loaded.model.lm_head.register_forward_pre_hook(slow)
    with pytest.raises(CancelledError):
        model.ask(tiny_request(), cancelled=entered.is_set)
    hook.remove()
    asked = iter([False, True])
    with pytest.raises(CancelledError):  # the turn is still taken
        model.ask(tiny_request(), cancelled=lambda: next(asked, True))
    go_on.set()
    assert model.ask(tiny_request(), cancelled=never).usage.output_tokens == 8


def test_a_person_stops_while_weights_are_read(twin, monkeypatch):
    real, entered, go_on = local_weights._load, threading.Event(), threading.Event()

    def slow(*arguments):
        entered.set()
        go_on.wait(20)
        return real(*arguments)

    monkeypatch.setattr(local_weights, "_load", slow)
    models = LoadedModels()
    adapter = TransformersAdapter(twin_row(NAME, twin(NAME)), Setup("cpu"), models)
    with pytest.raises(CancelledError):
        adapter.ask(tiny_request(), cancelled=entered.is_set)
    go_on.set()
    while models._loading.locked():
        time.sleep(0.01)
    assert models.held == ()  # nobody wanted them any more
    assert adapter.ask(tiny_request(), cancelled=never).text
    adapter.close()


def test_one_copy_of_the_weights_is_shared_and_let_go_by_the_last(open_at, twin):
    first, second = open_at(twin(NAME)), open_at(twin(NAME))
    answers = [one.ask(tiny_request(), cancelled=never).text for one in (first, second)]
    assert first._loaded is second._loaded
    assert answers[0] == answers[1]
    model = weakref.ref(first._loaded.model)
    first.close()
    first.close()
    assert second.ask(tiny_request(), cancelled=never).text == answers[0]
    assert model() is not None
    second.close()
    assert model() is None


def test_two_models_at_the_same_time_answer_as_each_alone(open_at, twin):
    adapters = {name: open_at(twin(name), name) for name in (NAME, "gemma3")}
    alone = {name: one.ask(tiny_request(max_new_tokens=30), cancelled=never).text for name, one in adapters.items()}
    together: list[tuple[str, str]] = []

    def ask(name: str) -> None:
        for _ in range(3):
            text = adapters[name].ask(tiny_request(max_new_tokens=30), on_text=lambda _: None, cancelled=never).text
            together.append((name, text))

    threads = [threading.Thread(target=ask, args=(name,)) for name in (NAME, NAME, "gemma3")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(together) == sorted([*alone.items()] * 3 + [(NAME, alone[NAME])] * 3)


def test_full_memory_is_one_sentence_and_the_next_request_runs(model, monkeypatch):
    import torch

    model.ask(tiny_request(max_new_tokens=1), cancelled=never)

    def full(**_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(model._loaded.model, "generate", full)
        with pytest.raises(
            ProviderRefusedError, match=r"Lingshu-7B ran out of memory on cpu with a prompt of 93 tokens"
        ):
            model.ask(tiny_request(), cancelled=never)
    with monkeypatch.context() as patch:
        patch.setattr(model._loaded.model, "generate", lambda **_: 1 / 0)
        with pytest.raises(ProviderRefusedError, match="could not compute this request: division by zero"):
            model.ask(tiny_request(), cancelled=never)
    assert model.ask(tiny_request(), cancelled=never).text


def test_weights_larger_than_the_memory_are_refused_before_they_end_the_process(open_at, twin, monkeypatch):
    small = lambda _device: (1000, 2000)  # noqa: E731 - bytes, free and whole
    monkeypatch.setattr("pet2rep_core.vlm.local.memory_of", small)
    monkeypatch.setattr(local_weights, "memory_of", small)
    adapter = open_at(twin(NAME))
    [finding] = errors(adapter, tiny_request())
    assert finding.message.startswith("The weights of 'lingshu-7b' take about 0 GB in float32, and cpu has 0 GB")
    with pytest.raises(ModelUnavailableError, match="Choose a smaller model"):
        adapter.ask(tiny_request(), cancelled=never)
    monkeypatch.setattr("pet2rep_core.vlm.local.memory_of", lambda _device: (1000, 10**12))
    warnings = [one for one in adapter.check(tiny_request()) if "free" in one.message]
    assert [one.severity for one in warnings] == [Severity.WARNING]


def test_a_machine_with_cards_that_cannot_be_used_together_is_told(open_at, twin, monkeypatch):
    place = "pet2rep_core.vlm.local"
    monkeypatch.setattr(f"{place}.choose", lambda _setup: ("cuda", "bfloat16"))
    monkeypatch.setattr(f"{place}.memory_of", lambda _device: (10**12, 10**12))
    monkeypatch.setattr(f"{place}.card_count", lambda: 2)
    monkeypatch.setattr(f"{place}.has_accelerate", lambda: False)
    found = [(one.message, one.hint) for one in open_at(twin(NAME)).check(tiny_request())]
    assert found == [
        (
            "Only one of the cards can be used, since accelerate is not installed.",
            "Install it with: pip install accelerate",
        )
    ]
    monkeypatch.setattr(f"{place}.has_accelerate", lambda: True)
    assert open_at(twin(NAME)).check(tiny_request()) == []


def test_memory_is_that_of_the_container_where_there_is_one(tmp_path, monkeypatch):
    free, total = memory_of("cpu")
    assert 0 < free <= total
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(local_device, "_CONTAINER_LIMIT", limit)
    for text, expected in (
        ("4000000\n", 4_000_000),
        ("max\n", memory_of("cpu")[1]),
        (f"{10**18}\n", memory_of("cpu")[1]),
    ):
        limit.write_text(text)
        assert memory_of("cpu")[1] == expected
    assert memory_of("mps") == (None, None)


def test_out_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "tpu", "cpu:1"])
def test_a_device_that_is_not_there_is_one_sentence(device, open_at, twin):
    import torch

    if torch.cuda.is_available() and device == "cuda":
        pytest.skip("this machine has one")
    with pytest.raises(SettingsError, match=rf"The device '{device}' is not on this machine"):
        choose(Setup(device))
    adapter = TransformersAdapter(twin_row(NAME, twin(NAME)), Setup(device), LoadedModels())
    assert [one.message for one in errors(adapter, tiny_request())] == [
        f"The device '{device}' is not on this machine, or torch cannot use it."
    ]


def test_the_setting_of_a_device_and_of_numbers_is_used(open_at, twin, monkeypatch):
    monkeypatch.setenv("PET2REP_DEVICE", "cpu")
    monkeypatch.setenv("PET2REP_DTYPE", "bfloat16")
    adapter = TransformersAdapter(twin_row(NAME, twin(NAME)), models=LoadedModels())
    answer = adapter.ask(tiny_request(), cancelled=never)
    assert (answer.engine["device"], answer.engine["dtype"]) == ("cpu", "bfloat16")
    adapter.close()
    monkeypatch.setenv("PET2REP_DTYPE", "int3")
    with pytest.raises(SettingsError, match="numbers of the type 'int3'"):
        TransformersAdapter(twin_row(NAME, twin(NAME)))


def test_a_torchvision_of_another_torch_is_named(open_at, twin, monkeypatch):
    import transformers

    def broken(*_, **__):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(transformers.LlavaProcessor, "from_pretrained", broken)
    [finding] = errors(open_at(twin("llava"), "llava"), tiny_request())
    assert finding.message == "The torchvision of this Python does not fit its torch."


def test_pictures_with_transparency_or_of_grey_become_rgb(model):
    import io

    from PIL import Image

    def request(mode: str):
        pictures = []
        for one in tiny_request().pictures:
            out = io.BytesIO()
            Image.open(io.BytesIO(one.png)).convert("L").convert(mode).save(out, "PNG")
            pictures.append(replace(one, png=out.getvalue()))
        return replace(tiny_request(), pictures=tuple(pictures))

    texts = {mode: model.ask(request(mode), cancelled=never).text for mode in ("RGB", "L", "RGBA", "LA")}
    assert len(set(texts.values())) == 1


def test_a_request_without_a_system_text_has_no_empty_turn(model):
    answer = model.ask(tiny_request(system=""), cancelled=never)
    with_system = model.ask(tiny_request(system=SYSTEM), cancelled=never)
    assert answer.usage.input_tokens < with_system.usage.input_tokens
    assert "system_text" not in answer.sent
