"""The OpenAI route against a real ``transformers serve`` with a tiny model: pictures in, text out, nothing invented."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from PIL import Image

from pet2rep_core.errors import ModelUnavailableError
from pet2rep_core.records import GenerationStatus
from pet2rep_core.vlm.adapters import open_adapter
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.request import Options, Picture, Request, Route

pytestmark = pytest.mark.slow
START_S = 150


def picture(n: int) -> Picture:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (n * 60, 9, 9)).save(buffer, "PNG")
    return Picture(buffer.getvalue(), f"fused {n}", 64, 48)


REQUEST = Request(
    "你是医师。", "写报告。", tuple(picture(n) for n in (1, 2, 3)), Options(max_new_tokens=6, seed=3, top_k=20)
)


@pytest.fixture(scope="module")
def served(twin):
    """Serve a tiny LLaVA; gives the row of the catalog with the folder for a name, and the address."""
    missing = [name for name in ("fastapi", "uvicorn", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"transformers serve needs {', '.join(missing)}: pip install -r requirements-dev.txt")
    folder = twin("llava")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    log = folder.parent / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        until = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-1500:]
                assert time.monotonic() < until, "transformers serve did not start"
                time.sleep(0.3)
        row = replace(read_catalog().row("llava-1.5-7b"), api_model=str(folder))
        yield row, f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def adapter(served):
    row, url = served
    made = open_adapter(row, Route.OPENAI, base_url=url)
    yield made
    made.close()


def test_a_real_server_reads_pictures_and_says_how_it_ended(adapter):
    answer = adapter.ask(REQUEST, cancelled=lambda: False)
    assert answer.status in (GenerationStatus.CUT, GenerationStatus.DONE)
    assert answer.usage.output_tokens is not None
    assert answer.usage.output_tokens <= 6
    # three pictures of four tokens each beside the text
    alone = adapter.ask(replace(REQUEST, pictures=REQUEST.pictures[:1]), cancelled=lambda: False)
    assert answer.usage.input_tokens - alone.usage.input_tokens > 2
    # it knows no top_k but in this field, and the route has found that out
    assert json.loads(answer.sent["generation_config"]) == {"top_k": 20, "repetition_penalty": 1.0}
    assert (answer.sent["seed"], answer.sent["max_tokens"]) == (3, 6)
    again = adapter.ask(REQUEST, cancelled=lambda: False)
    assert again.text == answer.text


def test_a_stream_of_a_real_server(adapter):
    pieces: list[str] = []
    streamed = adapter.ask(REQUEST, on_text=pieces.append, cancelled=lambda: False)
    assert "".join(pieces).strip() == streamed.text.strip()
    assert pieces
    assert streamed.finish_reason


def test_another_model_is_not_there(served):
    row, url = served
    made = open_adapter(replace(row, api_model="nobody/none"), Route.OPENAI, base_url=url)
    assert made.check(REQUEST) == []  # it lists no models without a network
    with pytest.raises(ModelUnavailableError, match="has no model 'nobody/none'"):
        made.ask(REQUEST, cancelled=lambda: False)
    made.close()
