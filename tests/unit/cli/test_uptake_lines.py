"""``pet2rep uptake``: lines in, lines out, as a script runs it."""

import io
import json
import subprocess
import sys
import time

import pytest

from pet2rep_core.cli.main import main
from tests.report_sets.labels import read_sentences
from tests.study_files import PROJECT

HEAVY = {"torch", "transformers", "streamlit", "SimpleITK", "numpy", "duckdb", "pandas", "nibabel", "pydicom", "jieba"}


@pytest.fixture
def typed(monkeypatch):
    """Let a text stand on standard input."""

    def write(data):
        data = data if isinstance(data, bytes) else data.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return write


def uptake(capsys, *words):
    capsys.readouterr()
    status = main(["uptake", *map(str, words)])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_words_of_the_readme(home, typed, capsys):
    text = "右肺上叶结节，【FDG代谢 增高】，SUVmax约5.2。肝脏FDG摄取未见异常。"
    typed(json.dumps({"id": "a", "text": text, "language": "zh"}))
    status, (line,) = uptake(capsys, "--jsonl", "-")
    assert status == 0
    assert line["id"] == "a"
    lung, liver = line["uptake"]
    (evidence,) = lung.pop("evidence")
    # Witness: by hand.
    assert lung == {"organ": "lung", "states": ["increased"], "laterality": "right", "suvmax": [5.2]}
    assert set(evidence) == {"start", "end", "text", "rule"}
    assert text[evidence["start"] : evidence["end"]] == evidence["text"] == "FDG代谢 增高"
    assert (liver["organ"], liver["states"], liver["laterality"], liver["suvmax"]) == ("liver", ["normal"], None, [])


def test_the_language_is_detected_where_it_is_left_out(home, typed, capsys):
    typed(
        '{"id": 1, "text": "The liver is hypermetabolic."}\n\n'
        '{"id": 2, "text": "肝脏FDG代谢增高。", "language": null}\n'
    )
    status, lines = uptake(capsys, "--jsonl", "-")
    assert status == 0
    assert [(line["id"], line["uptake"][0]["organ"]) for line in lines] == [(1, "liver"), (2, "liver")]


def test_a_bad_line_gives_its_error_and_the_rest_goes_on(home, tmp_path, capsys):
    good = json.dumps({"id": "good", "text": "脾脏FDG代谢增高。", "language": "zh"}).encode()
    bad = [
        b"nonsense",
        b"[1]",
        b'{"id": "b"}',
        b'{"id": "c", "text": 5}',
        b'{"id": "d", "text": "x", "language": "de"}',
        b'{"text": "x"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ]
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join([*bad, good]))
    status, lines = uptake(capsys, "--jsonl", path)
    assert status == 1
    assert [line["id"] for line in lines] == [None, None, "b", "c", "d", None, None, None, "good"]
    assert all(set(line) == {"id", "error"} for line in lines[:-1])
    assert lines[4]["error"] == "Its language is 'de'. Write zh or en, or leave it out."
    assert lines[-1]["uptake"][0]["organ"] == "spleen"


def test_nothing_but_bad_lines_is_status_2(home, typed, capsys):
    typed("{}")
    assert uptake(capsys, "--jsonl", "-")[0] == 2


def test_a_missing_file_is_a_sentence(home, tmp_path, capsys):
    assert main(["uptake", "--jsonl", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "organs"),
    [((), ["liver"]), (("--part", "findings"), ["liver"]), (("--part", "full"), ["liver", "spleen"])],
)
def test_the_findings_alone_or_all(home, typed, capsys, words, organs):
    text = "影像所见：肝脏FDG代谢增高。\n影像诊断：脾脏FDG代谢增高。"
    typed(json.dumps({"id": 1, "text": text, "language": "zh"}))
    _, (line,) = uptake(capsys, "--jsonl", "-", *words)
    assert [item["organ"] for item in line["uptake"]] == organs
    assert all(text[e["start"] : e["end"]] == e["text"] for item in line["uptake"] for e in item["evidence"])


def test_a_text_that_is_an_impression_alone_is_read(home, typed, capsys):
    typed(json.dumps({"id": 1, "text": "影像诊断：脾脏FDG代谢增高。"}))
    _, (line,) = uptake(capsys, "--jsonl", "-")
    assert [item["organ"] for item in line["uptake"]] == ["spleen"]


@pytest.mark.parametrize("text", ["", " ", "\x00\x07", "\ud800", "\u202e肝", "<script>", "1 " * 500, "【】[]"])
def test_odd_texts_say_nothing(home, typed, capsys, text):
    typed(json.dumps({"id": 1, "text": text}))
    assert uptake(capsys, "--jsonl", "-") == (0, [{"id": 1, "uptake": []}])


def test_a_thousand_lines_take_seconds(home, tmp_path, capsys):
    rows = read_sentences("sentences_1.toml")
    lines = [{"id": n, "text": f"{n}. {rows[n % len(rows)].text}", "language": rows[n % len(rows)].language}
             for n in range(1000)]  # fmt: skip
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    began = time.process_time()
    status, made = uptake(capsys, "--jsonl", path)
    assert time.process_time() - began < 6  # about 1 s on one core
    assert (status, len(made)) == (0, 1000)


def test_nothing_heavy_is_loaded():
    code = "import sys, pet2rep_core.cli.uptake; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    loaded = set(done.stdout.split())
    assert "pet2rep_core" in loaded
    assert HEAVY & loaded == set()
