"""The keys of the session state: each once, each for one thing."""

import ast
from pathlib import Path

from pet2rep_core.ui import state


def test_no_key_has_two_meanings():
    tree = ast.parse(Path(state.__file__).read_text(encoding="utf-8"))
    named = [(one.targets[0].id, one.value.value) for one in tree.body if isinstance(one, ast.Assign)]
    names, values = zip(*named, strict=True)
    assert len(set(names)) == len(names)
    assert len(set(values)) == len(values)
