"""The command line answers at once and never loads what it does not need."""

import re
import subprocess
import sys

import pytest

from pet2rep_core import __version__
from pet2rep_core.cli.main import build_parser, main
from tests.study_files import PROJECT

HEAVY = {"torch", "transformers", "streamlit", "SimpleITK", "numpy", "duckdb", "pandas", "nibabel", "pydicom", "joblib"}
NEVER = {"torch", "transformers", "streamlit"}
COMMANDS = {"inspect", "import", "demo", "generate", "score", "agreement", "export", "verify", "layouts", "models"}


def loaded_after(code: str, home: object) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after some code."""
    script = (
        f"import contextlib, io, sys\nwith contextlib.redirect_stdout(io.StringIO()):\n    try:\n        {code}\n"
        "    except SystemExit:\n        pass\nprint(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT,
        env={"PET2REP_HOME": str(home)},
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code", ["import pet2rep_core.cli.main", "from pet2rep_core.cli.main import main; main(['--help'])"]
)
def test_help_loads_nothing_heavy(code, tmp_path):
    assert HEAVY & loaded_after(code, tmp_path) == set()


@pytest.mark.parametrize(
    "module",
    [
        *("inspecting", "importing", "generating", "scoring", "agreeing", "exporting", "demo", "verifying", "layouts"),
        *("models", "studies"),
    ],
)
def test_no_command_loads_models_or_the_interface(module, tmp_path):
    assert NEVER & loaded_after(f"import pet2rep_core.cli.{module}", tmp_path) == set()


@pytest.mark.parametrize("words", [["models"], ["models", "--json"], ["models", "lingshu-7b"]])
def test_the_catalog_is_listed_without_a_model_library(words, tmp_path):
    assert NEVER & loaded_after(f"from pet2rep_core.cli.main import main; main({words})", tmp_path) == set()


def test_help_names_every_command_and_the_exit_status(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"\n    {command}\s", text)
    for words in ("PET2REP_HOME", "PET2REP_WORKERS", "exit status:", "Research use only"):
        assert words in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_and_json(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "--json" in capsys.readouterr().out


def test_the_import_documents_its_exit_status_and_the_cluster(capsys):
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for words in ("130 stopped by Ctrl-C", "2 nothing was imported", "1 some cases", "same paths as here"):
        assert words in text


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"pet2rep {__version__}\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "required"),
        (["import"], "PATH"),
        (["agreement"], "FILE"),
        (["agreement", "r.csv", "--seed", "-1"], "--seed"),
        (["agreement", "r.csv", "--resamples", "0"], "'0' is not a whole number from 1 up"),
        (["import", "x", "--workers", "0"], "'0' is not a whole number from 1 up"),
        (["generate"], "--model"),
        (["generate", "--model", "template", "--cases", ","], "no name in it"),
        (["generate", "--model", "template", "--language", "de"], "invalid choice"),
    ],
)
def test_wrong_arguments_end_with_2(words, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(words)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err
