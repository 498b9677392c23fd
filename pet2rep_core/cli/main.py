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
  PET2REP_SIGN_IN  how people sign in to the app: single (one person on this machine), accounts or oidc

With --json, standard output carries one JSON object, or one a line (generate, import-outputs, score, uptake), and
nothing else.
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

_EXPORT = """\
pet2rep export STUDY --out DIR writes a reader study: the ratings long and wide, summaries, agreement, comparisons of
models, metrics against readers, a paragraph of methods in English and Chinese, and a manifest. Models are letters
until the study is unblinded. pet2rep export --out DIR writes the plain tables of ratings, scores and measurements,
and the leaderboard.
"""
_AGREEMENT = """\
Read a table with the columns reader, item, patient, dimension and value (1 to 5; empty is not assessable) and
print for each dimension quadratic weighted kappa, ICC(2,1), ICC(2,k), Krippendorff's alpha, Gwet's AC2 and the
shares exact and within one, each with its bootstrap interval over patients, or the reason why there is none.
FILE may be - for standard input; it is only read, nothing is stored.
"""
_STUDY = """\
Reader studies are made and read in the app. Here they are listed, shown and checked: "study verify" goes through
the hash chain of every study and rating, compares the database with the journal beside it, and looks at the seal
of each study that was locked; exit status 1 where anything was edited, removed or had to be brought back.

With --json after the action, standard output carries one JSON object and nothing else.
"""
_ACCOUNT = """\
Manage the accounts of this installation, for PET2REP_SIGN_IN=accounts. The first administrator is made here:

  pet2rep account add BOSS --role admin

A password is asked for, or read as one line from standard input; it is never an argument. While the app is open,
use its Accounts page instead.
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

    agreement = _command(
        commands, "agreement", "agreeing", "say how far the readers of a table agree", description=_AGREEMENT
    )
    agreement.add_argument("file", metavar="FILE", help="a CSV table of ratings; - for standard input")
    agreement.add_argument("--seed", metavar="N", type=_from_zero, default=2026, help="seed of the bootstrap (2026)")
    agreement.add_argument(
        "--resamples", metavar="N", type=from_one, default=2000, help="resamples of the bootstrap (2000)"
    )

    export = _command(
        commands, "export", "exporting", "write a study, or the plain tables, into a folder", description=_EXPORT
    )
    export.add_argument("study", metavar="STUDY", nargs="?", help="name or title of a reader study")
    export.add_argument("--out", metavar="DIR", type=Path, help="the folder; made where it is missing")
    export.add_argument(
        "--format", metavar="F", default="csv", help="csv, parquet, xlsx, jsonl or latex of a study; csv or parquet of "
        "the plain tables (csv)"
    )  # fmt: skip
    export.add_argument(
        "--excel", action="store_true", help="start the CSV files of a study with a byte order mark, by which Excel "
        "knows Chinese"
    )  # fmt: skip
    export.add_argument("--seed", metavar="N", type=_from_zero, default=2026, help="seed of a study's intervals (2026)")

    study = commands.add_parser(
        "study", help="list and show reader studies, check that nothing in them was edited", description=_STUDY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = study.add_subparsers(title="what to do", metavar="ACTION", dest="action", required=True)
    _command(actions, "list", "studies", "list the studies with their state")
    show = _command(actions, "show", "studies", "show the plan, the readers' progress and the events of a study")
    show.add_argument("study", metavar="STUDY", help="name of the study, such as s-0123456789ab")
    check = _command(actions, "verify", "studies", "check every chain, seal and copy of the studies")
    check.add_argument("study", metavar="STUDY", nargs="?", help="only this one, without the journal")

    account = _command(commands, "account", "accounts", "manage who may sign in to the app", description=_ACCOUNT)
    account.add_argument("action", choices=("add", "list", "password", "role", "disable", "enable"), metavar="ACTION",
                         help="add, list, password, role, disable or enable")  # fmt: skip
    account.add_argument("name", metavar="NAME", nargs="?", help="the pseudonym, such as R01; for all but list")
    account.add_argument("--role", choices=("rater", "researcher", "admin"), help="for add (rater) and role")
    account.add_argument(
        "--one-time", action="store_true", help="make a password that is good for one sign-in and print it"
    )

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


def _from_zero(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _make_output_safe() -> None:
    """Let a name that the terminal's encoding does not have come out escaped, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
