"""Arguments of the commands that bring in reports of models."""

from __future__ import annotations

import argparse
from pathlib import Path

GENERATE = """\
Ask models about cases and store each report as it comes. What is there already is not asked again, so a run that was
stopped, or died, goes on with the same command. pet2rep models lists the models with their routes.

A server outside this machine gets nothing until --allow-provider names it, which is recorded with your name.
Keys come from the environment or .streamlit/secrets.toml, under the name that the model's row gives.
With --json, one line of JSON comes out for each item as it ends.
"""
IMPORT_OUTPUTS = """\
Store reports that a model wrote elsewhere, as a run of that model: the benchmark's JSON lines (subject_id, llm_output,
ground_truth), a CSV with the columns case and report, or a folder with one text file a case, named after it. What
cannot be taken is listed with its reason.
"""


def add_generate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``generate``."""
    parser.add_argument(
        "--models", "--model", metavar="NAME,NAME", type=_names_only, action="append", required=True, dest="models",
        help="models of the catalog; may be given several times"
    )  # fmt: skip
    parser.add_argument(
        "--input", metavar="I,I", type=_names_only, default=("fused",), help="separate (three CT and three PET "
        "pictures), fused (three) or fused-measured (with a table of hot regions) (fused)"
    )  # fmt: skip
    parser.add_argument("--cases", metavar="ID,ID|all", type=names, help="names of cases; all where left out")
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="language of the reports (zh)")
    parser.add_argument(
        "--prompt", metavar="P", default="own", help="own (the case's, else the standard one), the name of a prompt, "
        "or a file of the benchmark's JSON lines (own)"
    )  # fmt: skip
    parser.add_argument("--size", metavar="PX", type=from_one, help="longer edge of the pictures; one pixel a voxel")
    parser.add_argument(
        "--base-url", metavar="URL", help="address of your own server, such as http://127.0.0.1:8000/v1"
    )
    parser.add_argument(
        "--route", choices=("transformers", "openai", "anthropic"), help="in this process, by a server, or Claude; "
        "in this process where the model can and no address is given"
    )  # fmt: skip
    parser.add_argument(
        "--allow-provider", metavar="HOST", action="append", help="let pictures and prompt go to this machine"
    )
    parser.add_argument("--concurrency", metavar="N", type=from_one, help="requests at the same time (4)")
    parser.add_argument("--max-cost", metavar="M", type=float, help="stop before the run could cost more than this")
    parser.add_argument("--time-limit", metavar="S", type=float, default=600.0, help="seconds for one answer (600)")
    parser.add_argument("--again", action="store_true", help="ask again what was cut, empty or refused")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked and sent, and stop")
    parser.add_argument("--max-new-tokens", metavar="N", type=from_one, help="tokens of one report at most (1024)")
    parser.add_argument("--temperature", metavar="T", type=float, help="0.7 where left out")
    parser.add_argument("--top-p", metavar="P", type=float, help="1 where left out")
    parser.add_argument("--top-k", metavar="K", type=int, help="50 where left out")
    parser.add_argument("--repetition-penalty", metavar="R", type=float, help="1 where left out")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of models and scripted model (0)")
    parser.add_argument(
        "--behaviour", metavar="B", default="mixed", help="mistakes of the scripted model: copy, omit, invent, "
        "contradict or mixed (mixed)"
    )  # fmt: skip


def add_import_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``import-outputs``."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a JSON lines or CSV file, or a folder of texts")
    parser.add_argument("--model", metavar="NAME", required=True, help="the model of the catalog that wrote them")
    parser.add_argument(
        "--input", metavar="I", required=True, help="what it was given: separate, fused, fused-measured or text-only"
    )
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="language of the reports (zh)")


def from_one(text: str) -> int:
    """Return a whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def names(text: str) -> tuple[str, ...] | None:
    """Return the names between commas; None for ``all``."""
    found = _names_only(text)
    return None if found == ("all",) else found


def _names_only(text: str) -> tuple[str, ...]:
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise argparse.ArgumentTypeError("there is no name in it")
    return found
