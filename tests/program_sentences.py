"""Every sentence that the program can say to a person in an error, a hint or a finding, read from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.browser.server import PROJECT

_SAYS = re.compile(r"(?:\w*Error|Finding)$|__init__$")  # an error that words itself hands its sentence to its parent
_ROOMS_OF_THE_COMMAND_LINE = ("cli",)


def program_sentences() -> dict[str, str]:
    """Return each sentence, with ``{}`` for a value, and the file where it stands."""
    found: dict[str, str] = {}
    package = PROJECT / "pet2rep_core"
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] in _ROOMS_OF_THE_COMMAND_LINE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _SAYS.match(_name(node.func)):
                for sentence in _said(node):
                    found.setdefault(sentence, str(path.relative_to(PROJECT)))
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _said(call: ast.Call) -> Iterator[str]:
    for value in [*call.args, *(word.value for word in call.keywords if word.arg in ("hint", "message", "reason"))]:
        for option in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            sentence = _template(option)
            if " " in sentence and re.search(r"[a-z]{2}", sentence.replace("{}", "")):
                yield sentence


def _template(value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in value.values)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return (_template(value.left) or "{}") + (_template(value.right) or "{}")
    return ""
