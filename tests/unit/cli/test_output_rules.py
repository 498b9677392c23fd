"""Progress, tables, JSON and the words of errors."""

import io
import json
import subprocess
import sys

import pytest

from pet2rep_core.cli import layouts
from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.main import main
from pet2rep_core.cli.output import Progress, one_line, table, write_json
from pet2rep_core.errors import Pet2RepError
from tests.study_files import COMMAND, PROJECT, environment, run_json


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_progress_off_a_terminal_is_a_line_a_step_with_the_time_left():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(3, stream=stream, clock=clock)
    for name in "abc":
        clock.now += 60
        progress.step(name)
    progress.end()
    # after one step of 60 s two more take 120 s, after two of them one takes 60 s
    assert stream.getvalue() == "[1/3] about 2 min left a\n[2/3] about 60 s left b\n[3/3] c\n"


def test_progress_on_a_terminal_is_one_line():
    stream = Terminal()
    progress = Progress(2, stream=stream, clock=Clock())
    progress.step("a")
    progress.step("b")
    progress.end()
    assert stream.getvalue().count("\n") == 1
    assert "[##########..........] 1/2 a" in stream.getvalue()
    assert "[####################] 2/2 b\n" in stream.getvalue()


def test_text_that_would_steer_a_terminal_is_disarmed():
    assert one_line("PET\x1b[2J\nAC\u202e 病例") == "PET?[2J AC? 病例"


def test_tables_are_aligned():
    assert table([("a", "long", "x"), ("bcd", "b", "")], indent=" ") == [" a    long  x", " bcd  b"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_has_no_number_that_is_none(capsys, value):
    write_json({"a": [value, 1.5, {"b": (value,)}], "c": "NaN"})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5, {"b": [None]}], "c": "NaN"}


@pytest.mark.parametrize(
    ("good", "failed", "status"),
    [(2, 0, ExitStatus.DONE), (0, 0, ExitStatus.DONE), (1, 1, ExitStatus.SOME_FAILED), (0, 1, ExitStatus.NOTHING)],
)
def test_exit_status(good, failed, status):
    assert status_of(good, failed) is status


def test_our_errors_are_one_line_and_no_traceback(home, monkeypatch, capsys):
    def refuse(args, settings):
        raise Pet2RepError("The file\nis damaged.", hint="Copy it again.")

    monkeypatch.setattr(layouts, "run", refuse)
    assert main(["layouts"]) == 2
    assert capsys.readouterr() == ("", "The file is damaged. Copy it again.\n")
    status, said = run_json(capsys, "layouts")
    assert status == 2
    assert said == {"error": {"message": "The file is damaged.", "hint": "Copy it again."}}


def test_a_bug_shows_its_traceback(home, monkeypatch):
    def break_down(args, settings):
        raise ZeroDivisionError

    monkeypatch.setattr(layouts, "run", break_down)
    with pytest.raises(ZeroDivisionError):
        main(["layouts"])


def test_ctrl_c_is_a_sentence(home, monkeypatch, capsys):
    def interrupt(args, settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(layouts, "run", interrupt)
    assert main(["layouts"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_wrong_settings_are_a_sentence(home, monkeypatch, capsys):
    monkeypatch.setenv("PET2REP_WORKERS", "many")
    assert main(["layouts"]) == 2
    assert "PET2REP_WORKERS is 'many'." in capsys.readouterr().err


def test_a_closed_pipe_is_quiet(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "layouts"], cwd=PROJECT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()  # as `| head -0` does
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_json_reaches_a_terminal_without_unicode(tmp_path):
    root = tmp_path / "病例"
    code = f"from pet2rep_core.cli.main import main; main(['inspect', {str(root)!r}, '--json'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True,
        env={**environment(tmp_path), "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert json.loads(done.stdout.decode("ascii"))["errors"][0]["where"] == "病例"
