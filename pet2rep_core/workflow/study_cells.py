"""Text cells that no spreadsheet runs as a formula, in a way that can be taken back when a table is read again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

_STARTS = "=+\\-@\t\r\n＝＋－＠"
_RISKY = re.compile(f"'*[{_STARTS}]")
_GUARDED = re.compile(f"'+[{_STARTS}]")


def inert_cell(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet could run it.

    A text that begins with apostrophes and then such a sign gets one more, so that :func:`restored_cell` always
    gives back what was there.
    """
    return f"'{text}" if _RISKY.match(text) else text


def restored_cell(text: str) -> str:
    """Return the text that :func:`inert_cell` made inert."""
    return text[1:] if _GUARDED.match(text) else text


def inert_texts(table: pa.Table) -> pa.Table:
    """Return a table whose texts are inert; numbers are left alone, negative ones too."""
    return _mapped(table, inert_cell)


def restored_texts(table: pa.Table) -> pa.Table:
    """Return a table as it was before :func:`inert_texts`."""
    return _mapped(table, restored_cell)


def _mapped(table: pa.Table, change: Callable[[str], str]) -> pa.Table:
    for place, kind in enumerate(table.schema.types):
        if not pa.types.is_string(kind):
            continue
        known: dict[str | None, str | None] = {None: None}
        cells = []
        for text in table.column(place).to_pylist():
            if text not in known:
                known[text] = change(text)
            cells.append(known[text])
        table = table.set_column(place, table.schema.field(place), pa.array(cells, kind))
    return table
