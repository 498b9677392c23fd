"""A plain manifest, for data of any other layout: a CSV, TSV or JSON Lines file with one case a line.

Columns (all but ``case`` optional; any order, any case):

=================  =============================================================================================
case               name of the case
pet, ct            image files
mask               an image file, or a folder of organ masks with one file an organ
pet_unit           ``suvbw`` or ``bqml``; without it the PET has no SUV
report             path of a text file, or the text itself; ``report_zh`` and ``report_en`` for two languages
findings,          the two parts, in place of or beside ``report``
impression
language           ``zh`` or ``en``; detected where it is left out
pictures           slice pictures in the order to show them: ``a.png;b.png``, or a JSON list
anything else      kept as metadata, unless the name says that it may identify a patient
=================  =============================================================================================

Paths are relative to the manifest and may not leave its folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pet2rep_core.datasets.benchmark import PICTURE_SUFFIXES, first_keys, is_jsonl, json_lines
from pet2rep_core.datasets.files import Found, Layout, image_series, resolve_inside
from pet2rep_core.datasets.organ_files import mask_folder
from pet2rep_core.datasets.report_files import (
    TABLE_SUFFIXES,
    TEXT_SUFFIXES,
    build_report,
    parse_language,
    read_table,
    read_text,
)
from pet2rep_core.datasets.tables import fact_name, may_identify
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, Language, Report, SeriesInfo, SeriesRole

MANIFEST_NAMES = ("manifest.csv", "manifest.tsv", "manifest.jsonl")
_UNITS = {"suvbw": "SUVBW", "suv": "SUVBW", "bqml": "BQML", "bq/ml": "BQML"}
_OWN = (
    "case", "pet", "ct", "mask", "pet_unit", "report", "report_zh", "report_en", "findings", "impression", "language",
    "pictures",
)  # fmt: skip
_NO_TEXT_SUFFIXES = (".doc", ".docx", ".pdf", ".rtf", ".odt", ".html", ".xml", ".json", ".xlsx")
_NO_UNIT = "The manifest gives no pet_unit for the PET, so there is no SUV."


def manifest_file(root: Path) -> Path | None:
    """Return the manifest that a path is or holds, or None."""
    if root.is_file():
        if root.suffix.lower() in TABLE_SUFFIXES:
            return root
        return root if is_jsonl(root.name) and "case" in {key.casefold() for key in first_keys(root)} else None
    return next((root / name for name in MANIFEST_NAMES if (root / name).is_file()), None)


def detect_manifest(root: Path) -> bool:
    """Tell whether the path is a table or holds manifest.csv, manifest.tsv or manifest.jsonl."""
    return manifest_file(root) is not None


def find_manifest(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of a manifest.

    Raises
    ------
    DatasetLayoutError
        If there is no manifest, or it has no column ``case``.
    """
    path = manifest_file(root)
    if path is None:
        raise DatasetLayoutError(
            f"There is no manifest in {root.name!r}.", hint=f"It is named {' or '.join(MANIFEST_NAMES)}."
        )
    found = Found()
    lines: dict[str, int] = {}
    dropped: set[str] = set()
    for number, cells, fault in _json_cells(path) if is_jsonl(path.name) else _table_cells(path):
        with found.case(f"{path.name} line {number}"):
            if fault:
                raise DatasetLayoutError(fault)
            name = cells.get("case", "").strip()
            if not name:
                raise DatasetLayoutError("It has no case name.", hint="Fill in the column case.")
            if name.casefold() in lines:
                raise DatasetLayoutError(
                    f"The case {name!r} is already in line {lines[name.casefold()]}.",
                    hint="Give each case its own name; columns report_zh and report_en take two languages.",
                )
            lines[name.casefold()] = number
            dropped |= {
                column for column, cell in cells.items() if column not in _OWN and cell and may_identify(column)
            }
            found.add(_case(name, cells, path))
    if dropped:
        shown = ", ".join(repr(column) for column in sorted(dropped))
        found.errors.append(CaseError(path.name, f"Columns that may identify a patient were not taken: {shown}."))
    return found.result()


def _table_cells(path: Path) -> Iterator[tuple[int, dict[str, str], str]]:
    table = read_table(path)
    if "case" not in {column.casefold() for column in table.columns}:
        shown = ", ".join(repr(column) for column in table.columns)
        raise DatasetLayoutError(
            f"{path.name} is no manifest: it has no column 'case'; its columns are {shown}.",
            hint="Name the column of case names case; paths stand in pet, ct and report.",
        )
    for row in table.rows:
        yield row.line, {column.casefold(): cell for column, cell in row.cells.items()}, row.fault


def _json_cells(path: Path) -> Iterator[tuple[int, dict[str, str], str]]:
    for number, record, fault in json_lines(path):
        cells: dict[str, str] = {}
        for key, value in (record or {}).items():
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                cells[key.casefold()] = ";".join(value)
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                cells[key.casefold()] = str(value).strip()
            elif value is not None:
                fault = fault or f"The value of {key!r} is neither a text nor a number."
        yield number, cells, fault


def _case(name: str, cells: dict[str, str], path: Path) -> CaseSource:
    problems: list[str] = []
    series = tuple(_series(cells, path))
    if any(s.role is SeriesRole.PET and s.skipped is None and s.units is None for s in series):
        problems.append(_NO_UNIT)
    pictures = tuple(_picture(item, path) for item in cells.get("pictures", "").split(";") if item.strip())
    metadata = {
        fact_name(column) or column: cell
        for column, cell in cells.items()
        if cell and column not in _OWN and not may_identify(column)
    }
    return CaseSource(name, "manifest", series, pictures, tuple(_reports(cells, path)), metadata, tuple(problems))


def _series(cells: dict[str, str], path: Path) -> Iterator[SeriesInfo]:
    given = cells.get("pet_unit", "").strip()
    if given and given.casefold() not in _UNITS:
        raise DatasetLayoutError(f"The pet_unit {given!r} is not known.", hint="Use suvbw or bqml, or leave it empty.")
    units = {"pet": _UNITS.get(given.casefold()), "ct": "HU"}
    for role in (SeriesRole.PET, SeriesRole.CT, SeriesRole.MASK):
        name = cells.get(role.value, "")
        if name:
            file = resolve_inside(name, path.parent, path.parent, folder=role is SeriesRole.MASK)
            yield mask_folder(file) if file.is_dir() else image_series(file, role, units=units.get(role.value))


def _picture(name: str, path: Path) -> Path:
    picture = resolve_inside(name, path.parent, path.parent)
    if not picture.name.lower().endswith(PICTURE_SUFFIXES):
        raise DatasetLayoutError(f"{picture.name!r} is not a picture.", hint="Give JPEG or PNG files.")
    return picture


def _reports(cells: dict[str, str], path: Path) -> Iterator[Report]:
    stated = parse_language(cells.get("language", ""))
    text = _report_text(cells.get("report", ""), path)
    report = build_report(
        text=text,
        findings=cells.get("findings", ""),
        impression=cells.get("impression", ""),
        language=stated,
    )
    seen = [report.language] if report else []
    if report:
        yield report
    for language in Language:
        other = build_report(text=_report_text(cells.get(f"report_{language}", ""), path), language=language)
        if other and language in seen:
            raise DatasetLayoutError(
                f"Both 'report' and 'report_{language}' hold a report in the same language.", hint="Leave one of them."
            )
        if other:
            yield other


def _report_text(cell: str, path: Path) -> str:
    """Return the text of a report cell, which is a path where it ends like the name of a text file."""
    if "\n" not in cell and cell.lower().endswith(_NO_TEXT_SUFFIXES):
        raise DatasetLayoutError(
            f"The report {Path(cell).name!r} is no plain text.", hint="Save it as .txt, or put the text into the cell."
        )
    if "\n" in cell or not cell.lower().endswith(TEXT_SUFFIXES):
        return cell
    text = read_text(resolve_inside(cell, path.parent, path.parent))
    if not text.strip():
        raise DatasetLayoutError(
            f"The report {Path(cell).name!r} is empty.", hint="Fill it in, or leave the cell empty."
        )
    return text


MANIFEST = Layout(
    "manifest",
    "Manifest: a CSV, TSV or JSONL file with the columns case, pet, ct, pet_unit, report, language",
    detect_manifest,
    find_manifest,
)
