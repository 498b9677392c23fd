"""``pet2rep models``: the table for a person, everything about one, and the JSON that others script against."""

from __future__ import annotations

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.request import Route
from tests.study_files import PROJECT, run_json

IDS = list(read_catalog().rows)


def test_every_model_has_its_line(home, capsys):
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(IDS) + 1]] == IDS
    assert lines[IDS.index("lingshu-7b") + 1].split()[1:] == [
        "medical", "transformers", "(tiny-twin),", "openai", "(protocol-server)", "17", "available", "MIT"
    ]  # fmt: skip
    assert lines[-1].startswith(f"{len(IDS)} models, as of 20")
    assert err == ""
    assert not home.exists()


def test_json_says_of_each_route_how_it_is_proved_and_its_command(home, capsys):
    status, listed = run_json(capsys, "models")
    assert status == 0
    assert [one["id"] for one in listed["models"]] == IDS
    for one in listed["models"]:
        assert one["routes"]
        for route in one["routes"]:
            assert route["route"] in set(Route)
            assert route["proof"] != "not-proved"
            assert route["proved"].endswith(".")
            assert one["id"] in route["command"]
            assert route["leaves_machine"] == (one["group"] == "closed")
    by_id = {one["id"]: one for one in listed["models"]}
    commands = {route["route"]: route["command"] for route in by_id["lingshu-7b"]["routes"]}
    assert commands == {
        "transformers": "hf download lingshu-medical-mllm/Lingshu-7B && "
        "pet2rep generate --models lingshu-7b --input fused --cases all",
        "openai": "pet2rep generate --models lingshu-7b --input fused --cases all --base-url http://127.0.0.1:8000/v1",
    }
    assert by_id["gpt-4o"]["routes"][0]["command"] == (
        "OPENAI_API_KEY=... pet2rep generate --models gpt-4o --input fused --cases all --allow-provider api.openai.com"
    )
    assert by_id["radfm"]["routes"][0]["command"] == "pet2rep import-outputs PATH --model radfm --input fused"
    assert by_id["gpt-4o"]["prices"]["date"] == "2026-05"
    assert by_id["gemini-3.8-flash"]["prices"] is None
    assert by_id["llava-1.5-7b"]["image_token_rule"] == "removed"
    assert by_id["qwen2.5-vl-7b"]["paper_rows"] == ["Qwen2.5-VL-7B"]
    assert "here" not in by_id["lingshu-7b"]


def test_a_named_model_says_everything_and_what_this_machine_lacks(home, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    own = tmp_path / "models.toml"
    own.write_text('[[model]]\nid = "lingshu-7b"\nrepo = "/nowhere/lingshu"\n', encoding="utf-8")
    monkeypatch.setenv("PET2REP_MODELS", str(own))
    assert main(["models", "lingshu-7b", "gpt-4o"]) == 0
    out = capsys.readouterr().out
    for words in (
        "Lingshu-7B (lingshu-7b)", "32768 tokens", "MIT", "by transformers: pet2rep generate --models lingshu-7b ",
        "The real weights were not run.", "on this machine: The folder '/nowhere/lingshu' with the weights of",
        "its server: vllm serve /nowhere/lingshu", "GPT-4o (gpt-4o)", "2.5 in, 10 out, USD a million tokens (2026-05",
        "on this machine: OPENAI_API_KEY is not set.",
        "Announced to end on 2027-01-14", "options: max_new_tokens, seed, temperature, top_p",
    ):  # fmt: skip
        assert words in out
    monkeypatch.setenv("OPENAI_API_KEY", "sk-geheim")
    status, listed = run_json(capsys, "models", "gpt-4o")
    assert (status, listed["models"][0]["here"]) == (0, [])
    assert "geheim" not in str(listed)


def test_the_table_in_the_documentation_is_that_of_the_catalog(home, capsys):
    """Write it again with: pet2rep models --markdown; it stands between the two marks."""
    assert main(["models", "--markdown"]) == 0
    text = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")
    written = text.split("<!-- table -->\n")[1].split("<!-- end of table -->")[0]
    assert written == capsys.readouterr().out


def test_rows_of_the_user_are_listed(home, tmp_path, monkeypatch, capsys):
    own = tmp_path / "own.toml"
    own.write_text(
        '[[model]]\nid = "ward"\nlabel = "Ward"\ngroup = "medical"\nroutes = ["openai"]\nfamily = "own_code"\n'
        'api_model = "ward"\nbase_url = "http://gpu:8000/v1"\n', encoding="utf-8",
    )  # fmt: skip
    monkeypatch.setenv("PET2REP_MODELS", str(own))
    _, listed = run_json(capsys, "models")
    assert (listed["models"][-1]["id"], listed["models"][-1]["routes"][0]["leaves_machine"]) == ("ward", True)
    assert listed["models"][-1]["source_file"] == "own.toml"


@pytest.mark.parametrize("words", [["models", "lingshu-8"], ["models", "lingshu-8", "--json"]])
def test_a_model_that_is_not_there(words, home, capsys):
    assert main(words) == 2
    assert "There is no model named 'lingshu-8'. Did you mean 'lingshu-" in capsys.readouterr().err


def test_a_table_of_the_user_that_cannot_be_read(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PET2REP_MODELS", str(tmp_path / "gone.toml"))
    assert main(["models"]) == 2
    assert "The table of models gone.toml cannot be read" in capsys.readouterr().err
