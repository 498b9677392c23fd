"""The entry of the command line: arguments, errors, exit status."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pet2rep_core import __version__
from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.generating_arguments import (
    GENERATE,
    IMPORT_OUTPUTS,
    add_generate,
    add_import_outputs,
    from_one,
    names,
)
from pet2rep_core.cli.output import note, one_line, write_json
from pet2rep_core.errors import Pet2RepError
from pet2rep_core.settings import read_settings

_EPILOG = """\
exit status:
  0    done
  1    some of it failed; the rest is done, and what failed is listed with its reason
  2    nothing could be done, with one sentence on standard error
  130  stopped by Ctrl-C

environment:
  PET2REP_HOME     folder of this installation's database and prepared images
  PET2REP_WORKERS  cases that are imported at the same time
  PET2REP_MODELS   a table of your own models
  PET2REP_DEVICE   where models run in-process: cuda, cuda:1, mps or cpu; else what is there
  PET2REP_DTYPE    and with which numbers: bfloat16, float16 or float32

With --json, standard output carries one JSON object and nothing else.
Research use only; not for diagnosis.
"""
_IMPORT = """\
Show what lies below PATH, then import it. A case that fails is listed with its reason while the others go in.
Importing the same files again changes nothing, so an import that was stopped goes on where it was. While the
app is open the results are handed over to it.
"""
_IMPORT_EPILOG = """\
exit status:
  0    every case is in: new, revised, unchanged or handed over
  1    some cases, files or lines could not be taken, the others are in
  2    nothing was imported
  130  stopped by Ctrl-C, after the cases under way; import the same path again to go on

With --dask the cases are prepared by the workers of a Dask cluster that runs already. Its workers need this
program installed, and PATH and PET2REP_HOME under the same paths as here.
"""
_MODELS = """\
List every model of the catalog: the paper's, those of today, and your own rows (PET2REP_MODELS, or models.toml in
PET2REP_HOME). With names of models: everything about these, and what this machine lacks to run them.
"""
_SCORE = """\
Score the reports of the store; or two text files, with --reference and --hypothesis; or lines of JSON, with
--jsonl: one line of JSON comes out for each, and a line that cannot be read is named on standard error while
the rest goes on. FILE may be - for standard input. Files are only read; nothing is stored.
"""

_UPTAKE = """\
Print one line of JSON for each line of FILE: the organs whose uptake the text states, with states, side, SUVmax
and the words behind it; start and end count characters of the text as given. A line without a
language is taken as that in which most of it is written. A line that cannot be read gives {"id", "error"}, the
rest goes on, and the exit status is 1. FILE may be - for standard input.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; those of the process where left out.
    """
    _make_output_safe()
    args = build_parser().parse_args(argv)
    try:
        status = int(importlib.import_module(f"pet2rep_core.cli.{args.module}").run(args, read_settings()))
        sys.stdout.flush()
    except Pet2RepError as error:
        note(one_line(error))
        if args.json:
            write_json({"error": {"message": one_line(error.message), "hint": one_line(error.hint)}})
        return ExitStatus.NOTHING
    except KeyboardInterrupt:
        note("Stopped. What was finished is kept; run the same command again to go on.")
        return ExitStatus.STOPPED
    except BrokenPipeError:
        # the interpreter would complain once more when it flushes standard output at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.PIPE_CLOSED
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="pet2rep",
        description="See, generate, score and rate PET/CT reports, without a browser.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pet2rep {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    inspect = _command(commands, "inspect", "inspecting", "say what the importer sees, without writing anything")
    _path_and_layout(inspect)

    importing = _command(
        commands, "import", "importing", "import a dataset", description=_IMPORT, epilog=_IMPORT_EPILOG
    )
    _path_and_layout(importing)
    importing.add_argument("--dataset", metavar="NAME", help="list the cases under this name; else the folder's name")
    importing.add_argument("--workers", metavar="N", type=from_one, help="cases at the same time")
    importing.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster, such as tcp://host:8786")
    importing.add_argument("--dry-run", action="store_true", help="stop after the preview")
    importing.add_argument("--yes", action="store_true", help="do not ask before importing")

    demo = _command(commands, "demo", "demo", "make the cases of the built-in demo study that are missing")
    demo.add_argument("--cases", metavar="ID,ID", type=names, help="only these, made again while the app is open")

    add_generate(_command(commands, "generate", "generating", "generate reports with models", description=GENERATE))
    add_import_outputs(
        _command(
            commands, "import-outputs", "importing_outputs", "take in reports that a model wrote elsewhere",
            description=IMPORT_OUTPUTS,
        )
    )  # fmt: skip

    models = _command(
        commands, "models", "models", "list the models, how each is reached and how that was proved",
        description=_MODELS,
    )  # fmt: skip
    models.add_argument("models", metavar="MODEL", nargs="*", help="say everything about these, with their commands")
    models.add_argument("--markdown", action="store_true", help="write the table of docs/models.md")

    score = _command(commands, "score", "scoring", "score generated reports against the references", description=_SCORE)
    score.add_argument("--all", action="store_true", help="score again what has scores already")
    score.add_argument("--reference", metavar="FILE", help="the reference report, as a text file")
    score.add_argument("--hypothesis", metavar="FILE", help="the generated report, as a text file")
    score.add_argument("--jsonl", metavar="FILE", help='lines {"id", "reference", "hypothesis"}')
    score.add_argument("--language", choices=("zh", "en"), default="zh", help="language of the files (zh)")
    score.add_argument(
        "--profile", metavar="NAME", default="reference", help="reference, table-1 (the closest known match to the "
        "paper, not confirmed) or characters (reference)"
    )  # fmt: skip
    score.add_argument(
        "--part", choices=("full", "findings"), default="full", help="compare whole reports or findings alone (full)"
    )
    score.add_argument(
        "--verify", action="store_true", help="make the language scores again with nltk, rouge-score, rouge and "
        "sacrebleu, and show the difference; for the store, those that it has"
    )  # fmt: skip

    uptake = _command(
        commands, "uptake", "uptake", "say what reports state about the uptake of each organ", description=_UPTAKE
    )
    uptake.add_argument("--jsonl", metavar="FILE", required=True, help='lines {"id", "text", "language"}; - for input')
    uptake.add_argument(
        "--part", choices=("findings", "full"), default="findings", help="read the findings alone, where a text has "
        "headings, or all of it (findings)"
    )  # fmt: skip

    export = _command(commands, "export", "exporting", "write ratings, scores and measurements into a folder")
    export.add_argument("folder", metavar="DIR", type=Path)
    export.add_argument("--format", metavar="F", default="csv", help="csv or parquet (csv)")

    _command(commands, "verify", "verifying", "check the database and every prepared image, byte by byte")
    _command(commands, "layouts", "layouts", "list the dataset layouts that can be imported")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    module: str,
    summary: str,
    *,
    description: str = "",
    epilog: str = "",
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description or summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="write JSON to standard output")
    parser.set_defaults(module=module)
    return parser


def _path_and_layout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help="a dataset, the folder of one case, or a file")
    parser.add_argument("--layout", metavar="NAME", help="layout of the dataset; detected where left out")


def _make_output_safe() -> None:
    """Let a name that the terminal's encoding does not have come out escaped, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
