"""``pet2rep score`` on bare files and its check of the store, as a person or a script runs them."""

import contextlib
import io
import json
import time

import pytest

from pet2rep_core.cli import scoring_files
from pet2rep_core.cli.main import main
from pet2rep_core.records import Language
from pet2rep_core.scoring.tokens import tokenize
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests.study_files import run_json

REFERENCE = "肝脏FDG摄取未见异常。脾脏FDG摄取减低。"
HYPOTHESIS = "肝脏FDG摄取增高。脾脏FDG摄取减低。"
SIX = ["bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL"]


@pytest.fixture
def files(tmp_path, home):
    (tmp_path / "r.txt").write_text(REFERENCE, encoding="utf-8")
    (tmp_path / "h.txt").write_text(HYPOTHESIS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def typed(monkeypatch):
    """Let a text stand on standard input."""

    def write(data):
        monkeypatch.setattr(
            "sys.stdin", io.TextIOWrapper(io.BytesIO(data if isinstance(data, bytes) else data.encode()))
        )

    return write


def score_lines(capsys, *words):
    capsys.readouterr()
    status = main(["score", *map(str, words)])
    out, err = capsys.readouterr()
    return status, [json.loads(line) for line in out.splitlines()], err.splitlines()


class TestPair:
    def test_the_words_of_the_readme(self, files, capsys):
        status, made = run_json(
            capsys, "score", "--reference", files / "r.txt", "--hypothesis", files / "h.txt", "--language", "zh",
            "--profile", "reference",
        )  # fmt: skip
        assert status == 0
        assert set(made) == {"scores", "ce"}
        assert list(made["scores"]) == [*SIX, "chrf"]
        assert all(set(score) == {"value", "signature"} for score in made["scores"].values())
        # Witness: by hand. Of 10 words, 肝脏 FDG 摄取 增高 。 脾脏 FDG 摄取 减低 。, all but 增高 are in the reference.
        assert made["scores"]["bleu1"]["value"] == 0.9
        assert made["scores"]["bleu1"]["signature"].startswith("bleu1|agg:case|lang:zh|part:full|profile:reference|")
        assert not files.joinpath("home").exists()

    def test_clinical_efficacy(self, files, capsys):
        # Witness: by hand. Liver increased is invented, spleen decreased agrees, absent is in neither.
        _, made = run_json(capsys, "score", "--reference", files / "r.txt", "--hypothesis", files / "h.txt")
        classes, macro = made["ce"]["classes"], made["ce"]["macro"]
        assert classes["increased"] == {"tp": 0, "fp": 1, "fn": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}
        assert classes["decreased"] == {"tp": 1, "fp": 0, "fn": 0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
        assert classes["absent"] == {
            "tp": 0, "fp": 0, "fn": 0, "precision": None, "recall": None, "f1": None,
            "reason": "no absent uptake in either report",
        }  # fmt: skip
        assert macro == {"precision": 0.5, "recall": 0.5, "f1_macro": 0.5, "f1_table": 0.5}
        assert made["ce"]["signature"].startswith("ce_f1|")

    @pytest.mark.parametrize("dash", ["--reference", "--hypothesis"])
    def test_standard_input(self, files, capsys, typed, dash):
        typed(REFERENCE)
        other = "--hypothesis" if dash == "--reference" else "--reference"
        status, made = run_json(capsys, "score", dash, "-", other, files / "r.txt")
        assert (status, made["scores"]["rougeL"]["value"]) == (0, 1.0)

    def test_for_a_person(self, files, capsys):
        words = ["score", "--reference", str(files / "r.txt"), "--hypothesis", str(files / "h.txt"), "--verify"]
        assert main([*words, "--profile", "characters", "--part", "findings"]) == 0
        out = capsys.readouterr().out
        for said in ("BLEU-1   ", "ROUGE-L", "|profile:characters|", "|part:findings|", "ce_f1", "recomputed", "nltk"):
            assert said in out

    def test_an_empty_generation_is_a_reason(self, files, capsys):
        (files / "h.txt").write_bytes(b"[]\n")
        status, made = run_json(capsys, "score", "--reference", files / "r.txt", "--hypothesis", files / "h.txt")
        assert status == 0
        assert {(one["value"], one["reason"]) for one in made["scores"].values()} == {(None, "empty generation")}

    def test_other_encodings_and_control_characters(self, files, capsys):
        (files / "r.txt").write_bytes(REFERENCE.encode("gb18030"))
        (files / "h.txt").write_bytes(b"\xef\xbb\xbf" + REFERENCE.encode() + b"\x00")
        status, made = run_json(capsys, "score", "--reference", files / "r.txt", "--hypothesis", files / "h.txt")
        assert status == 0
        # Witness: by hand. The generation has all words of the reference, and the control character.
        words = len(tokenize(REFERENCE, Language.CHINESE))
        assert made["scores"]["bleu1"]["value"] == words / (words + 1)

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["--reference", "r.txt"], "--hypothesis is missing."),
            (["--hypothesis", "r.txt"], "--reference is missing."),
            (["--reference", "-", "--hypothesis", "-"], "Both texts cannot come from standard input."),
            (["--reference", "r.txt", "--hypothesis", "none.txt"], "none.txt cannot be read: No such file"),
            (["--reference", "r.txt", "--hypothesis", "bad.bin"], "bad.bin: The text is not readable as UTF-8"),
            (["--reference", "r.txt", "--hypothesis", "r.txt", "--all"], "--reference cannot stand beside --all."),
            (["--jsonl", "r.txt", "--reference", "r.txt"], "--jsonl cannot stand beside --reference."),
            (["--jsonl", "none.jsonl"], "none.jsonl cannot be read"),
            (["--jsonl", "."], "cannot be read"),
            (["--jsonl", "r.txt", "--profile", "refrence"], "Did you mean 'reference'?"),
        ],
    )
    def test_what_cannot_be_done_is_a_sentence(self, files, capsys, monkeypatch, words, complaint):
        (files / "bad.bin").write_bytes(b"\xff\xff\xff\x81")
        monkeypatch.chdir(files)
        assert main(["score", *words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert complaint in err


class TestLines:
    def test_a_line_each(self, home, tmp_path, capsys):
        rows = [{"id": name, "reference": REFERENCE, "hypothesis": HYPOTHESIS} for name in ("a", 2, "病例")]
        file = tmp_path / "x.jsonl"
        file.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8-sig")
        status, made, err = score_lines(capsys, "--jsonl", file)
        assert (status, err) == (0, [])
        assert [one["id"] for one in made] == ["a", 2, "病例"]
        assert [list(one["scores"])[:6] for one in made] == [SIX] * 3
        assert {one["scores"]["bleu1"]["value"] for one in made} == {0.9}
        assert {one["ce"]["macro"]["f1_table"] for one in made} == {0.5}

    def test_bad_lines_are_named_and_the_rest_goes_on(self, home, capsys, typed):
        good = json.dumps({"id": "g", "reference": REFERENCE, "hypothesis": HYPOTHESIS})
        bad = [
            b"no json", b"[1]", b'{"id": "x", "reference": "a"}', b'{"reference": "a", "hypothesis": "b"}',
            b'{"id": "x", "reference": "a", "hypothesis": 3}', b'{"id": true, "reference": "a", "hypothesis": "b"}',
            b'{"id": "x", "reference": "a", "hypothesis": ["b", "c"]}', b"[" * 100_000, b"\xff\xff\x81",
            b'{"id": "x", "reference": "a", "hypothesis": "b", "language": "de"}',
        ]  # fmt: skip
        typed(b"\n".join([good.encode(), *bad, good.encode()]))
        status, made, err = score_lines(capsys, "--jsonl", "-")
        assert status == 1
        assert [one["id"] for one in made] == ["g", "g"]
        assert [line.split(":")[0] for line in err] == [f"Line {number}" for number in range(2, 12)]
        for line, words in zip(
            err,
            ["It is no JSON", "no JSON object", "no 'hypothesis'", "no 'id'", "'hypothesis' is not a text",
             "neither a text", "list of one text", "It is no JSON", "not readable", "language is 'de'"],
            strict=True,
        ):  # fmt: skip
            assert words in line

    def test_nothing_but_bad_lines(self, home, capsys, typed):
        typed(b"x")
        assert score_lines(capsys, "--jsonl", "-")[:2] == (2, [])

    def test_the_benchmarks_own_output(self, home, capsys, typed):
        typed(json.dumps({"subject_id": "s", "llm_output": [HYPOTHESIS], "ground_truth": REFERENCE}))
        _, [made], _ = score_lines(capsys, "--jsonl", "-")
        assert (made["id"], made["scores"]["bleu1"]["value"]) == ("s", 0.9)

    def test_a_line_may_name_its_language(self, home, capsys, typed):
        typed(json.dumps({"id": 1, "reference": "The liver", "hypothesis": "the LIVER", "language": "en"}))
        _, [made], _ = score_lines(capsys, "--jsonl", "-", "--language", "zh")
        assert made["scores"]["bleu2"]["value"] == 1
        assert "|lang:en|" in made["scores"]["bleu2"]["signature"]

    def test_whatever_a_model_writes_comes_out_as_ascii_json(self, home, capsys, typed):
        odd = ["\ud800", "\u202e<script>\x1b[2J", "", "\x00"]
        typed("\n".join(json.dumps({"id": n, "reference": REFERENCE, "hypothesis": o}) for n, o in enumerate(odd)))
        status, made, err = score_lines(capsys, "--jsonl", "-")
        assert (status, err) == (0, [])
        assert [one["scores"]["bleu1"]["value"] is None for one in made] == [False, False, True, False]

    def test_verify(self, home, capsys, typed, monkeypatch):
        line = json.dumps({"id": 1, "reference": REFERENCE, "hypothesis": HYPOTHESIS})
        typed(line)
        status, [made], _ = score_lines(capsys, "--jsonl", "-", "--verify")
        assert status == 0
        assert [one["metric"] for one in made["verify"]] == [*SIX, "chrf"]
        assert [one["difference"] for one in made["verify"]][:6] == [0.0] * 6
        monkeypatch.setattr(
            scoring_files, "verify_scores", lambda *a, **k: [scoring_files.Check("bleu1", 0.5, "x", 0.4)]
        )
        typed(line)
        status, [made], err = score_lines(capsys, "--jsonl", "-", "--verify")
        assert status == 2
        assert err == ["Line 1: a score differs from the reference library's."]

    def test_a_thousand_lines_in_seconds(self, home, capsys, typed):
        writer_lines = [
            json.dumps({"id": n, "reference": REFERENCE * 20, "hypothesis": f"{HYPOTHESIS * 20}SUVmax{n}"})
            for n in range(1000)
        ]
        typed("\n".join(writer_lines))
        began = time.process_time()
        status, made, _ = score_lines(capsys, "--jsonl", "-")
        assert (status, len(made)) == (0, 1000)
        assert time.process_time() - began < 20


class TestStore:
    @pytest.fixture
    def scored(self, home, study, capsys):
        for words in (["import", str(study)], ["generate", "--model", "template", "--cases", "a,b"], ["score"]):
            assert main(words) == 0
        capsys.readouterr()
        return Settings(home=home, workers=1)

    def test_other_profiles_are_scored_beside_the_first(self, scored, capsys):
        status, made, _ = score_lines(capsys, "--profile", "characters", "--json")
        assert status == 0
        assert [len(one["scores"]) for one in made] == [7] * len(made) != []
        assert score_lines(capsys, "--profile", "characters", "--json")[1] == []
        assert score_lines(capsys, "--json")[1] == []
        status, made, _ = score_lines(capsys, "--part", "findings", "--json")
        assert all("|part:findings|" in s["signature"] for g in made for s in g["scores"])

    def test_verify_makes_every_score_again(self, scored, capsys):
        assert main(["score", "--profile", "characters", "--part", "findings"]) == 0
        with contextlib.closing(open_store(scored)) as store:
            before = len(store.scores())
        status, made = run_json(capsys, "score", "--verify")
        assert (status, made["differences"]) == (0, 0)
        checks = [check for one in made["generations"] for check in one["checks"]]
        assert {check["metric"] for check in checks} == {*SIX, "chrf"}
        assert {check["difference"] for check in checks if check["metric"] in SIX} == {0.0}
        assert {check["signature"].split("|")[0] == check["metric"] for check in checks} == {True}
        with contextlib.closing(open_store(scored)) as store:
            assert len(store.scores()) == before

    def test_verify_for_a_person(self, scored, capsys):
        assert main(["score", "--verify"]) == 0
        assert "0 scores differ." in capsys.readouterr().out
