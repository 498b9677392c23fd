"""``pet2rep generate`` against a real server: lines of JSON, refusals, stopping, and keys that nobody sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.settings import read_settings
from pet2rep_core.store import open_store
from tests import vendor_servers as vendor
from tests.study_files import COMMAND, PROJECT, environment, start
from tests.vendor_servers import vendor_server

MODEL = "qwen2.5-vl-7b"
KEY = "sk-live-0123456789abcdef"


@pytest.fixture
def imported(home, study, capsys):
    assert main(["import", str(study), "--yes"]) == 0
    capsys.readouterr()
    return read_settings()


@pytest.fixture
def server():
    with vendor_server() as one:
        yield one


def lines(capsys, *words):
    capsys.readouterr()
    status = main([*map(str, words), "--json"])
    out, err = capsys.readouterr()
    return status, [json.loads(line) for line in out.splitlines()], err


def test_one_line_of_json_for_each_item_and_again_nothing_is_asked(imported, server, capsys):
    words = ("generate", "--models", MODEL, "--input", "fused,separate", "--cases", "a", "--base-url", server.base_url)
    status, found, _ = lines(capsys, *words)
    assert status == 0
    assert [(one["case_id"], one["model"], one["input"], one["status"]) for one in found] == [
        ("a", MODEL, "fused", "done"), ("a", MODEL, "separate", "done"),
    ]  # fmt: skip
    assert found[0]["input_tokens"] == 2100
    assert found[0]["attempts"] == 1
    status, again, _ = lines(capsys, *words)
    assert (status, len(server.calls)) == (0, 2)
    assert [one["generation_id"] for one in again] == [one["generation_id"] for one in found]
    assert all(one["already"] for one in again)
    assert main([*words]) == 0
    assert capsys.readouterr().out == "2 of 2 reports are there.\n"


def test_options_of_the_command_reach_the_model(imported, server, capsys):
    words = ["generate", "--models", MODEL, "--cases", "a", "--base-url", server.base_url, "--language", "en"]
    words += ["--seed", "9", "--temperature", "0.2", "--max-new-tokens", "77", "--top-k", "5", "--size", "128"]
    assert main(words) == 0
    body = server.calls[0].body
    sent = {name: body[name] for name in ("seed", "temperature", "max_tokens", "top_k")}
    assert sent == {"seed": 9, "temperature": 0.2, "max_tokens": 77, "top_k": 5}
    assert "Template" in server.calls[0].text


def test_a_dry_run_asks_nothing(imported, server, capsys):
    words = ("generate", "--models", f"template,{MODEL}", "--cases", "all", "--base-url", server.base_url, "--dry-run")
    status, found, _ = lines(capsys, *words)
    assert (status, server.calls) == (0, [])
    plain, asked = found
    assert (plain["model"], plain["to_ask"]) == ("template", 3)
    assert (asked["to_ask"], asked["left_out"], asked["route"]) == (2, 1, "openai")
    assert asked["input_tokens"] > 500
    assert main([*words]) == 0
    out, _ = capsys.readouterr()
    assert "left out: c qwen2.5-vl-7b (fused): The case has no volumes" in out


def test_what_leaves_the_machine_is_refused_in_one_sentence(imported, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    words = ("generate", "--models", "gpt-4o", "--cases", "a")
    assert main([*words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert "3 pictures and 1 prompts of 'study' to api.openai.com, outside this machine" in line
    assert line.endswith("--allow-provider api.openai.com")
    status, found, _ = lines(capsys, *words, "--dry-run")
    assert status == 0
    assert found[-1]["sending_to"] == "api.openai.com"
    assert found[0]["price_at_most"] > 0


def test_a_host_that_was_named_is_recorded_with_the_users_name(imported, server, capsys, monkeypatch):
    monkeypatch.setenv("LOGNAME", "dr-li")
    # an address of this machine that is none by its name: what the gate goes by
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.on_this_machine", lambda url: False)
    words = ("generate", "--models", MODEL, "--cases", "a", "--base-url", server.base_url)
    assert main([*words, "--allow-provider", "elsewhere.example"]) == 2
    assert server.calls == []
    assert main([*words, "--allow-provider", server.host]) == 0
    assert f"Sending 3 pictures and 1 prompts of study to {server.host}." in capsys.readouterr().err
    store = open_store(imported)
    [event] = store.events(("provider.allow",))
    [sent] = store.events(("provider.send",))
    store.close()
    assert (event.actor, event.object_id, event.detail["host"]) == ("dr-li", "study", server.host)
    assert (sent.actor, len(sent.detail["picture_sha256"])) == ("dr-li", 3)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--models", "qwen2.5-vl-8b"], "Did you mean 'qwen2.5-vl-7b'?"),
        (["--models", MODEL, "--input", "both"], "There is no input setting named 'both'."),
        (["--models", MODEL, "--base-url", "localhost:8000"], "no http or https address"),
        (["--models", MODEL, "--base-url", "http://u:p@127.0.0.1/v1"], "more than an address"),
        (["--models", "gpt-4o", "--route", "transformers"], "Its routes are: openai."),
        (["--models", "meddr"], "runs only in its own code. Run it there, then: pet2rep import-outputs"),
        (["--models", MODEL, "--base-url", "http://127.0.0.1:9/v1"], "No server answers at 127.0.0.1:9. Nothing was"),
        (["--models", "gpt-4o", "--allow-provider", "api.openai.com"], "There is no key for api.openai.com"),
        (["--models", MODEL, "--max-cost", "-1"], "A cost of at most -1 cannot be."),
    ],
    ids=["model", "input", "address", "password", "route", "import only", "nobody", "key", "cost"],
)
def test_what_cannot_run_says_why(imported, capsys, monkeypatch, words, complaint):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["generate", *words, "--cases", "a"]) == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert "u:p" not in err


def test_a_key_is_in_no_output_log_or_database(imported, server, study):
    """The whole command in a process of its own, with the SDK's own logging turned up as far as it goes."""
    server.answer = lambda call: vendor.refusal(400, {"message": f"bad: {call.headers['authorization']}"})
    logging = {"OPENAI_LOG": "debug", "PET2REP_SERVER_KEY": KEY}
    done = subprocess.run(
        [*COMMAND, "generate", "--models", MODEL, "--cases", "a", "--base-url", server.base_url, "--json"],
        cwd=PROJECT, env=environment(imported.home) | logging, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert "refused the request (HTTP 400)" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert "base64," not in done.stderr  # nor the pictures
    for file in imported.home.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file.name


@pytest.mark.slow
def test_ctrl_c_ends_at_once_with_130_and_keeps_what_is_finished(imported, server):
    replies = [0.0]

    def answer(call):
        return vendor.Reply(**{**vendor.good(call).__dict__, "delay_s": replies.pop(0) if replies else 60.0})

    server.answer = answer
    words = ("generate", "--models", MODEL, "--input", "fused,separate", "--cases", "a", "--concurrency", "1", "--json")
    process = start(imported.home, *words, "--base-url", server.base_url)
    first = json.loads(process.stdout.readline())
    while len(server.calls) < 2:
        pass
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Stopped. What was finished is kept" in err
    assert server.gone.wait(10)
    store = open_store(imported)
    [kept] = store.generations()
    store.close()
    assert kept.generation.generation_id == first["generation_id"]


def test_secrets_file(tmp_path: Path, monkeypatch):
    from pet2rep_core.errors import SettingsError
    from pet2rep_core.vlm.secret_keys import read_key

    monkeypatch.delenv("SOME_KEY", raising=False)
    path = tmp_path / "secrets.toml"
    assert read_key("SOME_KEY", (path,)) is None
    path.write_text(f'SOME_KEY = "{KEY}"\n', encoding="utf-8")
    key = read_key("SOME_KEY", (path,))
    assert key is not None
    assert (key.value, KEY in repr(key), KEY in str(key)) == (KEY, False, False)
    path.write_text(f"SOME_KEY = {KEY}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_key("SOME_KEY", (path,))
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    monkeypatch.setenv("SOME_KEY", "ключ")
    with pytest.raises(SettingsError, match="characters that no key has"):
        read_key("SOME_KEY", ())


def test_without_an_address_an_open_model_runs_in_this_process_and_with_one_on_its_server(imported, capsys):
    def route_of(*more):
        words = ("generate", "--models", "qwen2.5-vl-32b", "--cases", "a", "--dry-run", *more)
        return lines(capsys, *words)[1][0]["route"]

    assert route_of() == "transformers"
    assert route_of("--base-url", "http://127.0.0.1:9/v1") == "openai"
    assert route_of("--route", "openai") == "openai"
