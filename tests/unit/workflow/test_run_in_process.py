"""A run with a tiny model in this process: the same engine, from the command to the store."""

from __future__ import annotations

import json

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.records import GenerationStatus
from pet2rep_core.store import open_store
from tests.tiny_models import save_twin

pytestmark = pytest.mark.slow


def test_a_model_in_this_process_writes_reports_into_the_store(tmp_path, study, store, settings, monkeypatch, capsys):
    store.close()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = save_twin("gemma3", tmp_path / "gemma3")
    own = tmp_path / "own.toml"
    own.write_text(f'[[model]]\nid = "medgemma-4b"\nrepo = {json.dumps(str(folder))}\n', encoding="utf-8")
    monkeypatch.setenv("PET2REP_MODELS", str(own))
    monkeypatch.setenv("PET2REP_HOME", str(settings.home))
    words = ["generate", "--models", "medgemma-4b", "--cases", "a", "--max-new-tokens", "8", "--language", "en"]
    status = main([*words, "--json"])
    out, err = capsys.readouterr()
    [line] = [json.loads(one) for one in out.splitlines()]
    assert line["status"] in ("cut", "done", "empty"), err
    assert status == (0 if line["status"] == "done" else 2)
    opened = open_store(settings)
    [stored] = opened.generations("a")
    opened.close()
    assert stored.generation.status is GenerationStatus(line["status"])
    assert stored.detail["route"] == "transformers"
    assert stored.detail["options_sent"]["max_new_tokens"] == 8
    assert "torch" in stored.detail["engine"]
    assert 0 < stored.detail["usage"]["output_tokens"] <= 8
    main([*words, "--json"])
    [again] = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert again["already"]
    assert again["generation_id"] == line["generation_id"]
