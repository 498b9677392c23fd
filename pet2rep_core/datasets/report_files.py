"""Reports and tables as files: bytes to text, text to rows, cells to a report.

Hospitals write Chinese text in UTF-8, in UTF-8 with a byte order mark (Excel), in UTF-16 (Excel's "Unicode
text") or in GB18030 (everything older, GBK and GB2312 included). All are read; nothing is replaced silently.
"""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pet2rep_core.errors import DatasetLayoutError, ReportParseError
from pet2rep_core.records import Language, Report
from pet2rep_core.report.sections import split_report

TEXT_SUFFIXES = (".txt", ".md")
TABLE_SUFFIXES = (".csv", ".tsv")
_LARGEST_CELL = 16 * 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LANGUAGES = {
    "zh": Language.CHINESE,
    "zh-cn": Language.CHINESE,
    "chinese": Language.CHINESE,
    "中文": Language.CHINESE,
    "en": Language.ENGLISH,
    "en-us": Language.ENGLISH,
    "en-gb": Language.ENGLISH,
    "english": Language.ENGLISH,
    "英文": Language.ENGLISH,
}


def decode_text(data: bytes) -> str:
    """Return the text of a file, without a byte order mark.

    UTF-16 is taken only with its mark; otherwise UTF-8 is tried, then GB18030. A text that both could be is
    UTF-8: Chinese in GB18030 is practically never valid UTF-8.

    Raises
    ------
    ReportParseError
        If no encoding gives plain text.
    """
    if data.startswith(_UTF16_MARKS):
        candidates: tuple[str, ...] = ("utf-16",)
    elif data.startswith(codecs.BOM_UTF8):
        candidates = ("utf-8-sig",)
    else:
        candidates = ("utf-8", "gb18030")
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_plain_text(text):
            return text
    raise ReportParseError(
        f"The text is not readable as {' or '.join(name.upper() for name in candidates)}.",
        hint="Save it again as UTF-8.",
    )


def _is_plain_text(text: str) -> bool:
    """Tell bytes that merely happen to decode from text: no NUL, nothing unassigned or private."""
    return "\0" not in text and not any(unicodedata.category(c) in ("Cn", "Co") for c in set(text))


def read_text(path: Path) -> str:
    """Return the text of a file; the messages of errors name the file."""
    try:
        return decode_text(path.read_bytes())
    except OSError as error:
        raise ReportParseError(
            f"{path.name} cannot be read: {error.strerror}.", hint="Check that the file may be read."
        ) from error
    except ReportParseError as error:
        raise ReportParseError(f"{path.name}: {error.message}", hint=error.hint) from error


def parse_language(code: str) -> Language | None:
    """Return the language of a code such as ``zh`` or ``English``; None for an empty one.

    Raises
    ------
    ReportParseError
        If the code is neither Chinese nor English.
    """
    key = code.strip().casefold().replace("_", "-")
    if not key:
        return None
    if key not in _LANGUAGES:
        raise ReportParseError(
            f"{code.strip()!r} is not a language of reports.", hint="Use zh or en, or leave it empty."
        )
    return _LANGUAGES[key]


def language_in_name(name: str) -> Language | None:
    """Return the language that a file or column name such as ``report_zh`` states, or None."""
    words = name.casefold().replace("-", "_").replace(".", "_").replace(" ", "_").split("_")
    found = {_LANGUAGES[word] for word in words if word in _LANGUAGES} | {
        Language.CHINESE for word in words if word in ("cn", "chn")
    }
    return found.pop() if len(found) == 1 else None


def build_report(
    *, text: str = "", findings: str = "", impression: str = "", language: Language | None = None
) -> Report | None:
    """Return the report of some cells, or None where all are blank.

    A whole ``text`` is split at its headings. Cells that already part findings from impression are taken as such,
    without a heading that they may repeat; the whole text is then ``text``, or the two one after the other. The
    language is detected where it is not given.
    """
    text, findings, impression = (part.strip() for part in (text, findings, impression))
    if not (text or findings or impression):
        return None
    if not (findings or impression):
        return split_report(text, language)
    whole = split_report(text or "\n".join(part for part in (findings, impression) if part), language)
    first = split_report(findings, whole.language) if findings else None
    second = split_report(impression, whole.language) if impression else None
    return Report(
        language=whole.language,
        text=whole.text,
        findings=(first.findings or findings) if first else "",
        impression=(second.impression or impression) if second else (first.impression if first else ""),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: the number of its first physical line in the file, and its cells by column."""

    line: int
    cells: dict[str, str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as its author wrote it; ``columns`` keep their spelling, cells are stripped."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Read a CSV or TSV file with a heading line.

    The separator is a tab, comma or semicolon: the one that the heading line holds most of. Quoted cells may
    hold line breaks. A line with more cells than the heading has a ``fault``; missing cells at its end are blank.

    Raises
    ------
    DatasetLayoutError
        If the file has no heading line, a column name twice, or broken quoting.
    ReportParseError
        If the file is not readable as text.
    """
    return parse_table(read_text(path), path.name)


def parse_table(text: str, name: str) -> Table:
    """Return the table of a text, as :func:`read_table` does; ``name`` stands in the messages of errors.

    Raises
    ------
    DatasetLayoutError
        If the text has no heading line, a column name twice, or broken quoting.
    """
    heading = next((line for line in text.splitlines() if line.strip()), "")
    if not heading:
        raise DatasetLayoutError(f"{name} is empty.", hint="Give a table with a line of column names.")
    separator = max("\t,;", key=heading.count)
    lines = _parse_lines(text, separator, name)
    _, names = next(lines)
    columns = tuple(column.strip() for column in names)
    known = [column.casefold() for column in columns if column]
    twice = next((column for column in known if known.count(column) > 1), None)
    if twice is not None:
        raise DatasetLayoutError(f"{name} has two columns named {twice!r}.", hint="Give each column its own name.")
    return Table(columns, tuple(_row(line, cells, columns) for line, cells in lines))


def _row(line: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    filled = dict.fromkeys((column for column in columns if column), "")
    filled |= {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
    extra = [cell for cell in cells[len(columns) :] if cell.strip()]
    fault = f"It has {len(cells)} cells for {len(columns)} columns." if extra else ""
    return Row(line, filled, fault)


def _parse_lines(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the first physical line's number and the cells of every line that is not blank."""
    before = csv.field_size_limit(_LARGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        parsed: list[tuple[int, list[str]]] = []
        start = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                parsed.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DatasetLayoutError(
            f"{name} has broken quoting in the record that begins in line {start}.",
            hint="Cells with a separator, a quote or a line break stand in double quotes; quotes inside are doubled.",
        ) from error
    finally:
        csv.field_size_limit(before)
    yield from parsed
