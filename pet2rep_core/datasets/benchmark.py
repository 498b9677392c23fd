"""PET2Rep's JSON Lines (arXiv 2508.04062): one case a line, with slice pictures and no volumes.

Keys: ``patient_id, task, prompt_system, prompt_image_fuse`` (paths of pictures), ``prompt_user_text, answer``
(the reference report). The published file stands in ``text_prompt/`` and names its pictures from the folder
above; demonstrations put them beside it. Both are found, and it is said when the path was not followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pet2rep_core.datasets.files import Found, Layout, case_name, resolve_inside, walk
from pet2rep_core.datasets.report_files import build_report, read_text
from pet2rep_core.errors import DatasetLayoutError, InputDataError, ReportParseError
from pet2rep_core.records import CaseError, CaseSource, Report

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_PROMPT_FOLDERS = ("text_prompt", "prompts")
_KEPT = ("task", "prompt_system", "prompt_user_text")
_HEAD_BYTES = 1 << 24


def is_jsonl(name: str) -> bool:
    """Tell whether a name is that of a JSON Lines file."""
    return name.lower().endswith((".jsonl", ".ndjson"))


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Yield each line that is not blank: its number, its object or None, and what is wrong with it.

    Raises
    ------
    ReportParseError
        If the file is not readable as text.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "\\ud" in line.lower():
                # JSON can escape half of a character, which no file and no database can hold.
                json.dumps(record, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            yield number, None, "The line holds an escaped half of a character."
            continue
        except (ValueError, RecursionError) as error:
            yield number, None, f"The line is not valid JSON ({error})."
            continue
        yield (number, record, "") if isinstance(record, dict) else (number, None, "The line is not a JSON object.")


def first_keys(path: Path) -> set[str]:
    """Return the keys of the first line of a JSON Lines file; none where it is no JSON object."""
    try:
        with path.open("rb") as file:
            line = file.readline(_HEAD_BYTES)
            while line and not line.strip():
                line = file.readline(_HEAD_BYTES)
        from_utf16 = line.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = read_text(path).split("\n", 1)[0] if from_utf16 else line.decode("gb18030", errors="replace")
        record = json.loads(text.lstrip("\ufeff"))
    except (OSError, ValueError, RecursionError, ReportParseError):
        return set()
    return set(record) if isinstance(record, dict) else set()


def _is_benchmark(path: Path) -> bool:
    keys = first_keys(path)
    return "patient_id" in keys and ("answer" in keys or any(key.startswith("prompt_") for key in keys))


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if is_jsonl(root.name) and _is_benchmark(root) else []
    files = (folder / name for folder, names in walk(root, 1) for name in names if is_jsonl(name))
    return [path for path in files if _is_benchmark(path)]


def detect_benchmark(root: Path) -> bool:
    """Tell whether there is a JSON Lines file with patient_id and answer or prompts."""
    return bool(_files(root))


def find_benchmark(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of PET2Rep's JSON Lines files."""
    found = Found()
    for path in _files(root):
        dataset = root
        if root.is_file():
            dataset = path.resolve().parent
            dataset = dataset.parent if dataset.name in _PROMPT_FOLDERS else dataset
        known = {case.case_id for case in found.cases}
        again = 0
        for number, record, fault in json_lines(path):
            where = f"{path.name} line {number}"
            with found.case(where):
                if record is None:
                    raise DatasetLayoutError(fault, hint="Give one JSON object a line.")
                name = case_name(_text(record.get("patient_id")))
                if not name:
                    raise DatasetLayoutError("It has no patient_id.", hint="Give each line the key patient_id.")
                if name in known:
                    again += 1
                    continue
                found.add(_case(name, record, path, dataset))
        if again:
            reason = f"{again} cases of this file are also in an earlier file, which was taken."
            found.errors.append(CaseError(path.name, reason))
    return found.result()


def _text(value: object) -> str:
    """Return a JSON value as text: a list of texts joined, a number written out, anything else blank."""
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _case(name: str, record: dict[str, Any], path: Path, dataset: Path) -> CaseSource:
    problems: list[str] = []
    report: Report | None = None
    try:
        report = build_report(text=_text(record.get("answer")))
        if report is None:
            problems.append("The answer is empty: the case has no reference report.")
    except ReportParseError as error:
        problems.append(str(error))
    pictures = _pictures(record, path, dataset, problems)
    metadata = {key: _text(record[key]) for key in _KEPT if _text(record.get(key))}
    return CaseSource(name, "pet2rep-jsonl", (), pictures, (report,) if report else (), metadata, tuple(problems))


def _pictures(record: dict[str, Any], path: Path, dataset: Path, problems: list[str]) -> tuple[Path, ...]:
    """Return the pictures in the order of the file; what is missing or found elsewhere goes to the problems."""
    named = record.get("prompt_image_fuse")
    names = [item for item in named if isinstance(item, str)] if isinstance(named, list) else []
    if isinstance(named, str) and named.strip():
        names = [named]
    pictures: list[Path] = []
    elsewhere: set[str] = set()
    for name in names:
        try:
            picture = _picture(name, path, dataset)
        except InputDataError as error:
            problems.append(str(error))
            continue
        if picture.name != name and picture == path.parent / picture.name:
            elsewhere.add(str(Path(name.replace("\\", "/")).parent))
        pictures.append(picture)
    if elsewhere:
        folders = ", ".join(repr(folder) for folder in sorted(elsewhere))
        problems.append(f"Pictures were found by name beside {path.name}; it says that they are in {folders}.")
    return tuple(pictures)


def _picture(name: str, path: Path, dataset: Path) -> Path:
    """Return the picture that a line names: from the file's folder, the dataset's, or by name beside the file."""
    if not name.lower().endswith(PICTURE_SUFFIXES):
        raise DatasetLayoutError(f"{name!r} is not the name of a picture.", hint="Give JPEG or PNG files.")
    own_name = name.replace("\\", "/").rsplit("/", 1)[-1]
    refusal: DatasetLayoutError | None = None
    for candidate, base in ((name, path.parent), (name, dataset), (own_name, path.parent)):
        try:
            return resolve_inside(candidate, base, dataset)
        except DatasetLayoutError as error:
            if "leads out" in error.message:
                raise
            refusal = refusal or error
    raise DatasetLayoutError(
        f"The picture {own_name!r} is missing.",
        hint=f"Put it into the folder that the file names, or beside {path.name}.",
    ) from refusal


BENCHMARK = Layout(
    "pet2rep-jsonl",
    "PET2Rep: JSON Lines with patient_id, prompt_image_fuse and answer, and slice pictures",
    detect_benchmark,
    find_benchmark,
)
