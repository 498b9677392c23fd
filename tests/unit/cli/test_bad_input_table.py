"""Every bad input through the command line: a sentence, never a traceback, and the other case goes in."""

import pytest

from tests.bad_input_files import BAD_INPUTS, GOOD
from tests.study_files import run_json


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_bad_input(bad, tmp_path, home, capsys):
    root = tmp_path / "set"
    root.mkdir()
    bad.build(root)
    status, imported = run_json(capsys, "import", root)
    good = [one for one in imported["outcomes"] if one["case_id"] in GOOD]
    others = [one for one in imported["outcomes"] if one["case_id"] not in GOOD]
    assert [one["status"] for one in good] == ["new"]
    said = " ".join(text for one in others for text in (one["reason"], *one["warnings"]))
    assert all(words in said for words in bad.words), said
    assert {one["status"] for one in others} == {"new" if bad.taken else "failed"}
    assert status == (0 if bad.taken else 1)
    assert str(tmp_path) not in said
    assert "SECRET" not in said
    assert all(one["reason"] if one["status"] == "failed" else not one["reason"] for one in others)

    status, seen = run_json(capsys, "inspect", root)
    assert status == 0
    found = {case["case_id"] for case in seen["cases"]}
    assert found & GOOD
    if not bad.taken:
        assert any(error["reason"] for error in seen["errors"]) or "covers only" in said
    assert not (home / "prepared" / "sources").exists() or "Traceback" not in said
