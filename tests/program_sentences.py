"""Every sentence that the program can say to a person, read from its source.

Two rules find them, and a room that says something new need only keep to one of them:

- a sentence: a literal or f-string that begins with a capital, a quote or a value, has a space, and ends with ``.``
  or ``?``, or with ``: {}`` or ``. {}`` where another sentence follows; or anything that is given to ``…Error(...)``
  or ``Finding(...)``;
- a reason, which may be of lower case: a literal that becomes a field, argument, variable or answer of a function
  whose name ends with ``reason``, ``problem``, ``why``, ``what`` or the like, directly or through a constant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.browser.server import PROJECT

_SAYS = re.compile(r"(?:\w*Error|Finding)$|__init__$")  # an error that words itself hands its sentence to its parent
_SENTENCE = re.compile(r"[A-Z'{].* .*(?:[.?]|[.?:] \{\})", re.DOTALL)
_WHY = re.compile(r"_?(?:\w+_)?(?:reasons?|problems?|why|what|skipped|untold|unscored|because)(?:_of)?$", re.IGNORECASE)

_ROOMS_OF_THE_COMMAND_LINE = ("cli",)
_NO_LANGUAGE = re.compile(
    r"\\|\(\?"  # a regular expression, or LaTeX
    r"|(?:^|\n) *(?:\{\} )?(?:SELECT|INSERT|WITH|WHERE|FROM|ORDER BY)\b|= \?"  # SQL
    r"|^default-src "  # the content policy
)
_NOT_SAID = {
    # what metrics, checks and profiles are, for the manifest of an export and the command line; pages have their own
    "scoring/checks.py": ("description",),
    "scoring/nlg.py": ("description", "meteor"),
    "scoring/profiles.py": ("description",),
    "vlm/baselines.py": ("description",),
    # a paragraph of a paper, which is there in both languages, and a note of the manifest
    "workflow/study_methods.py": (),
    "workflow/study_export.py": (),
}
"""File to the fields and variables whose sentences no page shows; ``()`` for all of a file but its errors."""
_PLACE = re.compile(r"\{\d(?:!r)?\}")  # of str.format


@cache
def program_sentences() -> dict[str, str]:
    """Return each sentence, with ``{}`` for a value, and the file where it stands."""
    found: dict[str, str] = {}
    for path, tree in _files():
        for sentence in (*_in_errors(tree), *_as_sentences(path, tree), *(r for r in _reasons(path) if "{}" in r)):
            found.setdefault(sentence, path)
    return found


@cache
def program_reasons() -> dict[str, str]:
    """Return each reason without a value that is no sentence, and the file where it stands."""
    sentences = program_sentences()
    return {
        reason: path
        for path, _ in _files()
        for reason in _reasons(path)
        if "{}" not in reason and reason not in sentences
    }


@cache
def _files() -> tuple[tuple[str, ast.Module], ...]:
    package = PROJECT / "pet2rep_core"
    paths = [path.relative_to(package) for path in sorted(package.rglob("*.py"))]
    return tuple(
        (path.as_posix(), ast.parse((package / path).read_text(encoding="utf-8")))
        for path in paths
        if path.parts[0] not in _ROOMS_OF_THE_COMMAND_LINE
    )


# --- whatever is given to an error or a finding


def _in_errors(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _SAYS.match(_name(node.func)):
            yield from _said(node)


def _said(call: ast.Call) -> Iterator[str]:
    for value in [*call.args, *(word.value for word in call.keywords if word.arg in ("hint", "message", "reason"))]:
        for option in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            sentence = _template(option)
            if _is_language(sentence):
                yield sentence


# --- whatever reads as a sentence


def _as_sentences(path: str, tree: ast.Module) -> Iterator[str]:
    if _NOT_SAID.get(path) == ():
        return
    for value in _texts(tree, but=_not_said(path, tree)):
        sentence = _template(value)
        if _SENTENCE.fullmatch(sentence) and _is_language(sentence):
            yield sentence


def _texts(tree: ast.AST, *, but: frozenset[int] = frozenset()) -> Iterator[ast.expr]:
    """Return the whole literals, f-strings and sums of them in a tree, without docstrings and parts of them."""
    for node in ast.iter_child_nodes(tree):
        if id(node) in but or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.expr) and _template(node):
            yield node
            for part in ast.walk(node):
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(ast.Expression(part.value))
        else:
            yield from _texts(node, but=but)


def _not_said(path: str, tree: ast.Module) -> frozenset[int]:
    """Return the expressions that become a field which no page shows."""
    fields = _NOT_SAID.get(path, ())
    if not fields:
        return frozenset()
    return frozenset(id(value) for name, value in _bound(path, tree) if name in fields)


# --- whatever becomes a reason


@cache
def _reasons(path: str) -> tuple[str, ...]:
    tree = dict(_files())[path]
    given = [value for name, value in _bound(path, tree) if _WHY.match(name)]
    return tuple(dict.fromkeys(reason for value in given for reason in _phrases(value) if _is_language(reason)))


def _bound(path: str, tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Return what is given to a name: an argument, a field, a variable, or what a function of that name returns."""
    parameters = _parameters()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from zip(parameters.get(_name(node.func), ()), node.args, strict=False)
            yield from ((word.arg, word.value) for word in node.keywords if word.arg)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield _name(target), node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield _name(node.target), node.value
        elif isinstance(node, ast.FunctionDef):
            mixed = node.returns is not None and "float | str" in ast.unparse(node.returns)  # a number, or why not
            name = "reason" if mixed else node.name
            for part in ast.walk(node) if _WHY.match(name) else ():
                if isinstance(part, ast.Return) and part.value is not None:
                    yield name, part.value


@cache
def _parameters() -> dict[str, list[str]]:
    """Return the names of the parameters of each function, and of the fields of each class."""
    found: dict[str, list[str]] = {}
    for _, tree in _files():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found[node.name] = [one.arg for one in node.args.args if one.arg not in ("self", "cls")]
            elif isinstance(node, ast.ClassDef):
                found[node.name] = [_name(one.target) for one in node.body if isinstance(one, ast.AnnAssign)]
    return found


@cache
def _constants() -> dict[str, ast.expr]:
    return {
        _name(node.targets[0]): node.value
        for _, tree in _files()
        for node in tree.body
        if isinstance(node, ast.Assign) and _name(node.targets[0]).isupper() and _template(node.value)
    }


def _phrases(value: ast.expr) -> Iterator[str]:
    """Return the texts that an expression can be: itself, a constant, a choice of both, or parts of a table."""
    if text := _template(value):
        yield text
    elif isinstance(value, ast.Name | ast.Attribute):
        if _name(value) in _constants():
            yield _template(_constants()[_name(value)])
    elif isinstance(value, ast.IfExp):
        yield from (*_phrases(value.body), *_phrases(value.orelse))
    elif isinstance(value, ast.BoolOp | ast.Tuple | ast.List):
        parts = value.values if isinstance(value, ast.BoolOp) else value.elts
        yield from (phrase for part in parts for phrase in _phrases(part))
    elif isinstance(value, ast.Dict):
        yield from (phrase for part in value.values for phrase in _phrases(part))


# --- what a text is


def _is_language(text: str) -> bool:
    words = text.replace("{}", "")
    return " " in text and re.search(r"[a-z]", words) is not None and not _NO_LANGUAGE.search(text)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _template(value: ast.expr) -> str:
    """Return a literal or f-string with ``{}`` for each value, also where the value is put in later."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return _PLACE.sub("{}", value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in value.values)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = _template(value.left), _template(value.right)
        return (left or "{}") + (right or "{}") if left or right else ""
    return ""
