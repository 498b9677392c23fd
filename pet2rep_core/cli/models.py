"""``pet2rep models``: the catalog, how each model is reached, how that was proved, and the command for it."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import one_line, say, table, write_json
from pet2rep_core.settings import Settings
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.checkpoint import check_checkpoint
from pet2rep_core.vlm.model_row import ModelRow, Proof, Status
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.model_command import command, server

PROVED = {
    Proof.TESTS: "It is part of this program, with tests of its own.",
    Proof.TINY_TWIN: "A tiny model of the same architecture with random weights is built, saved and loaded by the same "
    "code: pixels reach what it says, and it answers as transformers alone does. The real weights were not run.",
    Proof.PROTOCOL_SERVER: "The vendor's own library is run against a server that speaks the protocol over HTTP, slow, "
    "broken and hostile answers included. The real service was not asked.",
    Proof.FILES: "Files in the benchmark's shape, tables and folders of texts are imported.",
    Proof.NOT_PROVED: "It was not proved.",
}
CHECKED = {
    Route.BUILT_IN: "Nothing is left to check.",
    Route.TRANSFORMERS: "The check before a run reads your weights; then read the first reports.",
    Route.OPENAI: "The first item of a run shows whether the server or the key works.",
    Route.ANTHROPIC: "The first item of a run shows whether the key works.",
    Route.IMPORT: "The import lists what it could not take.",
}


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """List the catalog, or say everything about the models that were named."""
    catalog = read_catalog(settings.models)
    rows = [catalog.row(name) for name in args.models] or list(catalog.rows.values())
    if args.markdown:
        for line in _markdown(rows):
            say(line)
    elif args.json:
        write_json({"updated": catalog.updated, "models": [_as_json(row, local=bool(args.models)) for row in rows]})
    elif args.models:
        for number, row in enumerate(rows):
            say() if number else None
            _say_all(row)
    else:
        for line in table([("MODEL", "GROUP", "ROUTES (PROOF)", "GB", "STATUS", "LICENCE"), *map(_line, rows)]):
            say(line)
        say()
        say(f"{len(rows)} models, as of {catalog.updated}. For one of them with its command: pet2rep models MODEL")
    return ExitStatus.DONE


def _line(row: ModelRow) -> tuple[str, ...]:
    routes = ", ".join(f"{route.value} ({row.proof(route).value})" for route in row.routes)
    memory = f"{row.memory_gb:g}" if row.memory_gb else ""
    return row.id, row.group.value, routes, memory, row.status.value, row.licence or "not known"


def _markdown(rows: list[ModelRow]) -> list[str]:
    """Return the table of ``docs/models.md``, one line a model and route."""
    lines = ["| Model | Route | Proved by | One command |", "| --- | --- | --- | --- |"]
    for row in rows:
        for number, route in enumerate(row.routes):
            name = f"{row.label} (`{row.id}`)" if number == 0 else ""
            status = f", {row.status.value}" if number == 0 and row.status is not Status.AVAILABLE else ""
            lines.append(f"| {name}{status} | {route.value} | {row.proof(route).value} | `{command(row, route)}` |")
    return lines


def _as_json(row: ModelRow, *, local: bool) -> dict[str, Any]:
    kept = {
        name: getattr(row, name)
        for name in (
            "id", "label", "group", "size_b", "released", "repo", "api_model", "base_url", "key_env", "max_images",
            "trained_images", "context", "max_output", "length_option", "extra_body", "thinking_counts",
            "advised_new_tokens", "licence", "gate", "memory_gb", "paper_rows", "paper_note", "status", "status_date",
            "status_source", "status_note", "note", "source_file",
        )
    }  # fmt: skip
    routes = [
        {
            "route": route, "proof": row.proof(route), "proved": PROVED[row.proof(route)], "check": CHECKED[route],
            "leaves_machine": row.leaves_machine(route), "accepts": sorted(row.accepted(route)),
            "command": command(row, route), "server": server(row, route),
        }
        for route in row.routes
    ]  # fmt: skip
    more: dict[str, Any] = {
        "routes": routes, "local_server": row.is_local_server, "limits": dict(row.limits), "family": row.family.name,
        "image_token_rule": row.image_token_rule, "placeholders": row.family.placeholders,
        "architectures": row.family.architectures, "prices": asdict(row.prices) if row.prices else None,
    }  # fmt: skip
    if local:
        more["here"] = _here(row)
    return kept | more


def _here(row: ModelRow) -> list[str]:
    """Return what this machine lacks for the model; nothing where it can be run."""
    lacks = []
    if Route.TRANSFORMERS in row.routes:
        lacks += [f"{one.message} {one.hint}" for one in check_checkpoint(row)[1]]
    if row.key_env and not os.environ.get(row.key_env):
        lacks.append(f"{row.key_env} is not set.")
    return lacks


def _say_all(row: ModelRow) -> None:
    facts = [
        ("group", row.group.value),
        ("size", f"{row.size_b:g} billion parameters" if row.size_b else ""),
        ("weights", row.repo),
        ("name at the server", row.api_model if row.api_model != row.repo else ""),
        ("address", row.base_url),
        ("key", row.key_env),
        ("window", f"{row.context} tokens" if row.context else "not known"),
        ("pictures", _pictures(row)),
        ("memory", f"{row.memory_gb:g} GB of weights" if row.memory_gb else ""),
        ("licence", row.licence or "not known"),
        ("gate", row.gate),
        ("prices", _prices(row)),
        ("in the paper", " ".join(filter(None, (", ".join(row.paper_rows), row.paper_note)))),
        ("status", f"{row.status.value} on {row.status_date} ({row.status_source})" if row.status_date else ""),
        ("", row.status_note),
        ("note", row.note),
    ]
    say(f"{row.label} ({row.id})")
    for line in table([(name, one_line(text)) for name, text in facts if text], indent="  "):
        say(line)
    for route in row.routes:
        say(f"  by {route.value}: {command(row, route)}")
        if start := server(row, route):
            say(f"    its server: {start}")
        say(f"    proved: {PROVED[row.proof(route)]}")
        say(f"    to check: {CHECKED[route]}")
        if route not in (Route.IMPORT, Route.BUILT_IN):
            say(f"    options: {', '.join(sorted(row.accepted(route)))}")
    for lack in _here(row):
        say(f"  on this machine: {one_line(lack)}")


def _pictures(row: ModelRow) -> str:
    if row.max_images:
        return f"{row.max_images} in a request"
    return f"trained on {row.trained_images} at a time" if row.trained_images else ""


def _prices(row: ModelRow) -> str:
    if row.prices is None:
        return ""
    price = row.prices
    return f"{price.input:g} in, {price.output:g} out, {price.currency} a million tokens ({price.date}, {price.source})"
