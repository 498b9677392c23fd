"""Take in reports that a model wrote elsewhere, as a run of that model; what cannot be taken is listed, not guessed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pet2rep_core.datasets.benchmark import is_jsonl, json_lines
from pet2rep_core.datasets.report_files import read_text
from pet2rep_core.errors import DatasetLayoutError, InputDataError, Pet2RepError, UnknownNameError
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import Generation, GenerationStatus, Language, Person
from pet2rep_core.store import Recorded, RunRow, Store
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.workflow.generate import TEXT_ONLY
from pet2rep_core.workflow.permissions import RESEARCH, require

IMPORT_VERSION = 1
UNKNOWN_PROMPT = hashlib.sha256(b"").hexdigest()
"""Stands for the prompt of a run whose prompt is not known."""

_CASE_COLUMNS = ("case", "case_id", "subject_id", "patient_id", "id")
_TEXT_COLUMNS = ("report", "llm_output", "output", "text", "hypothesis")
_TRUTH = "ground_truth"
# what toolkits write in place of an answer
_FAILED_SIGNS = ("Failed to obtain answer via API", "Error: ", "[ERROR]")


@dataclass(frozen=True, slots=True)
class Output:
    """One output as found: where, of which case, its text or the reason why it has none."""

    where: str
    case_id: str
    text: str
    problem: str = ""
    truth: str = ""


@dataclass(frozen=True, slots=True)
class OutputOutcome:
    """What became of one output. ``status`` is None where nothing was stored; ``reason`` says why."""

    where: str
    case_id: str
    status: GenerationStatus | None
    reason: str = ""
    warning: str = ""
    generation_id: str | None = None
    recorded: Recorded | None = None


def import_outputs(
    store: Store, person: Person, path: Path, row: ModelRow, setting: str, language: Language
) -> Iterator[OutputOutcome]:
    """Store the outputs of a file or folder and yield what became of each.

    The same files give the same run, so that importing again changes nothing; other files are another run.

    Raises
    ------
    UnknownNameError
        If there is no such input setting.
    DatasetLayoutError
        If the path holds no outputs.
    PermissionDeniedError
        If the person's role does not allow it.
    """
    require(person, RESEARCH)
    if setting not in (*INPUT_SETTINGS, TEXT_ONLY):
        raise UnknownNameError("input setting", setting, (*INPUT_SETTINGS, TEXT_ONLY))
    outputs = list(read_outputs(path))
    if not outputs:
        raise DatasetLayoutError(f"There are no outputs in {path.name}.", hint="Give JSON lines, a CSV, or texts.")
    digest = hashlib.sha256(json.dumps([[one.case_id, one.text] for one in outputs]).encode()).hexdigest()
    parameters = {"route": "import", "source": path.name, "source_sha256": digest, "version": IMPORT_VERSION}
    said = json.dumps([row.id, setting, language.value, digest, IMPORT_VERSION])
    run = RunRow(
        run_id="r-" + hashlib.sha256(said.encode()).hexdigest()[:16],
        model=row.id,
        input_setting=setting,
        prompt_sha256=UNKNOWN_PROMPT,
        language=language,
        parameters=parameters,
    )
    store.record_event(person.name, "import outputs", "run", run.run_id, {"model": row.id, "outputs": len(outputs)})
    cases = {case.case_id for case in store.cases()}
    seen: set[str] = set()
    recorded = False
    for one in outputs:
        if one.case_id not in cases:
            yield _left_out(one, InputDataError(f"The case {one.case_id[:60]!r} is not in the store."))
        elif one.case_id in seen:
            yield _left_out(one, InputDataError("The case has an output further up already."))
        else:
            seen.add(one.case_id)
            if not recorded:
                store.record_run(run)
                recorded = True
            yield _store(store, run, one)


def read_outputs(path: Path) -> Iterator[Output]:
    """Yield the outputs of JSON lines, a CSV, or a folder of texts, in their order.

    Raises
    ------
    DatasetLayoutError
        If it is none of these, or a CSV lacks the columns.
    InputDataError
        If the file cannot be read.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() == ".txt" and one.is_file())
        yield from (_of_text_file(one) for one in files)
    elif not path.is_file():
        raise DatasetLayoutError(f"There is nothing at {path.name!r}.", hint="Check the path.")
    elif is_jsonl(path.name):
        yield from (_of_record(f"{path.name} line {n}", record, fault) for n, record, fault in json_lines(path))
    elif path.suffix.lower() in (".csv", ".tsv"):
        yield from _of_csv(path)
    else:
        raise DatasetLayoutError(
            f"{path.name} is no file of outputs.", hint="Give JSON lines (.jsonl), a CSV, or a folder of .txt files."
        )


def _of_text_file(path: Path) -> Output:
    try:
        return Output(path.name, path.stem, read_text(path))
    except InputDataError as error:
        return Output(path.name, path.stem, "", problem=error.message)


def _of_record(where: str, record: dict[str, Any] | None, fault: str) -> Output:
    if record is None:
        return Output(where, "", "", problem=fault)
    name = next((record[key] for key in _CASE_COLUMNS if key in record), "")
    value = next((record[key] for key in _TEXT_COLUMNS if key in record), None)
    truth = record.get(_TRUTH)
    truth = truth if isinstance(truth, str) else ""
    case_id = str(name).strip() if isinstance(name, str | int) and not isinstance(name, bool) else ""
    if isinstance(value, list):
        if len(value) != 1:
            problem = InputDataError(f"The line has {len(value)} outputs, and one is expected.")
            return Output(where, case_id, "", problem=problem.message)
        value = value[0]
    if not isinstance(value, str):
        return Output(where, case_id, "", problem=InputDataError("The line has no output as a text.").message)
    return Output(where, case_id, value, truth=truth)


def _of_csv(path: Path) -> Iterator[Output]:
    text = read_text(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = rows.fieldnames or ()
    case = next((name for name in _CASE_COLUMNS if name in columns), None)
    report = next((name for name in _TEXT_COLUMNS if name in columns), None)
    if case is None or report is None:
        raise DatasetLayoutError(
            f"{path.name} lacks a column of case names or of reports.",
            hint="Name the columns case and report in the first line.",
        )
    try:
        for number, row in enumerate(rows, start=2):
            yield Output(f"{path.name} line {number}", (row[case] or "").strip(), row[report] or "")
    except csv.Error as error:
        raise DatasetLayoutError(f"{path.name} is no table: {error}.", hint="Write it again as CSV.") from error


def _store(store: Store, run: RunRow, one: Output) -> OutputOutcome:
    status, reason = _status(one)
    generation = Generation(
        generation_id="g-" + hashlib.sha256(f"{run.run_id}|{one.case_id}".encode()).hexdigest()[:16],
        run_id=run.run_id,
        case_id=one.case_id,
        model=run.model,
        language=run.language,
        status=status,
        text=one.text if status is GenerationStatus.DONE else "",
        error=reason,
    )
    detail = {"route": "import", "where": one.where}
    if status is GenerationStatus.FAILED and one.text:
        detail["said"] = one.text[:500]
    try:
        recorded = store.record_generation(generation, detail=detail)
    except Pet2RepError as error:
        return _left_out(one, error)
    warning = _about_truth(store, run.language, one)
    return OutputOutcome(one.where, one.case_id, status, reason, warning, generation.generation_id, recorded)


def _status(one: Output) -> tuple[GenerationStatus, str]:
    if one.problem:
        return GenerationStatus.FAILED, one.problem
    if not one.text.strip():
        return GenerationStatus.EMPTY, InputDataError("The output is empty.").message
    if one.text.lstrip().startswith(_FAILED_SIGNS):
        return GenerationStatus.FAILED, InputDataError("The output is the message of a failed request.").message
    return GenerationStatus.DONE, ""


def _about_truth(store: Store, language: Language, one: Output) -> str:
    """Return a warning where the file's own reference is another text than the store's."""
    if not one.truth.strip():
        return ""
    references = [
        report.report.text
        for report in store.reports(one.case_id)
        if report.kind == "reference" and report.report.language is language
    ]
    if not references or any("".join(text.split()) == "".join(one.truth.split()) for text in references):
        return ""
    return InputDataError("The reference report in the file is not that of the store.").message


def _left_out(one: Output, error: Pet2RepError) -> OutputOutcome:
    return OutputOutcome(one.where, one.case_id, None, error.message)
