"""Import a dataset: find, read, prepare and record its cases, in parallel, again without harm."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pet2rep_core.datasets.load import load_case, load_organs, pet_suv
from pet2rep_core.errors import Pet2RepError, StoreError
from pet2rep_core.imaging.prepared import PREPARED_VERSION, open_prepared, prepare_case
from pet2rep_core.records import CaseSource, DatasetScan, KeySlices, Person, Report, SeriesRole
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, Recorded, Recorder
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require

Backend = Literal["loky", "threading", "dask"]


class ImportStatus(StrEnum):
    """What became of one case."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    HANDED_OVER = "handed over"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """One case of an import: its status, and one sentence why where it failed."""

    case_id: str
    status: ImportStatus
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a worker hands back: a case that is on the disk and ready to be recorded, or the reason why not."""

    row: CaseRow | None
    reports: tuple[Report, ...]
    case_id: str
    reason: str = ""
    warnings: tuple[str, ...] = ()


def source_sha256(source: CaseSource) -> str:
    """Return a hash of everything that a case is made of: files, what they are for, SUV, reports and our own version.

    What stands beside the files (a unit in a manifest, times in a sidecar) counts through the SUV factors.
    """
    digest = hashlib.sha256()
    used = [series for series in source.series if series.skipped is None]
    files = [path for series in used for path in series.files]
    for path in (*files, *source.pictures):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    pet = source.used(SeriesRole.PET)
    said = [
        *(source.layout, source.case_id, PREPARED_VERSION, source.metadata, [asdict(r) for r in source.reports]),
        [(series.role, series.units, len(series.files)) for series in used],
        None if pet is None else asdict(pet_suv(source, pet)),
    ]
    digest.update(json.dumps(said, sort_keys=True, ensure_ascii=False).encode("utf-8"))
    return digest.hexdigest()


def prepare_source(source: CaseSource, dataset: str, prepared: Path) -> Preparation:
    """Read and prepare one case. Runs in any process; every refusal comes back as a sentence.

    A case whose files have not changed since it was last prepared is not read again.
    """
    try:
        sha256 = source_sha256(source)
        memo = prepared / "sources" / sha256
        key = _remembered(prepared, memo)
        if key is None and _has_images(source):
            key = _prepare(source, prepared)
            _remember(memo, key)
        row = prepared_row(source, dataset, sha256, prepared, key)
    except Pet2RepError as error:
        return Preparation(None, (), source.case_id, reason=str(error))
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else "a file"
        return Preparation(None, (), source.case_id, reason=f"{name} cannot be read: {error.strerror}.")
    no_suv = [f"No SUV: {row.suv['reason']}"] if row.has_pet and row.suv["bw"] is None else []
    warnings = tuple(dict.fromkeys((*source.problems, *no_suv, *row.suv["warnings"])))
    return Preparation(row, source.reports, source.case_id, warnings=warnings)


def dataset_name(root: Path) -> str:
    """Return the name under which the cases of a path are listed where nobody gives one: that of folder or file."""
    place = root.resolve()
    return (place.name if place.is_dir() else place.stem.removesuffix(".nii")) or "import"


def import_cases(
    scan: DatasetScan,
    settings: Settings,
    recorder: Recorder,
    *,
    dataset: str | None = None,
    backend: Backend = "loky",
    cancelled: Callable[[], bool] = lambda: False,
    person: Person = OWNER,
) -> Iterator[ImportOutcome]:
    """Import the cases of a scan and yield what became of each as it ends, failures included.

    Parameters
    ----------
    dataset : str, optional
        Name under which the cases are listed; the folder's name where it is left out.
    backend : str
        joblib backend: ``loky`` processes, ``threading``, or ``dask`` on a registered cluster.
    cancelled : callable
        Asked between cases; what was recorded stays, and the next import goes on from there.
    person : Person
        Who imports; a rater may not.
    """
    require(person, RESEARCH)  # now, not when the first outcome is asked for
    return _imported(scan, settings, recorder, dataset or dataset_name(scan.root), backend, cancelled)


def _imported(
    scan: DatasetScan,
    settings: Settings,
    recorder: Recorder,
    name: str,
    backend: Backend,
    cancelled: Callable[[], bool],
) -> Iterator[ImportOutcome]:
    for error in scan.errors:
        yield ImportOutcome(error.where, ImportStatus.FAILED, error.reason)
    for done in _prepare_all(scan.cases, name, settings, backend, cancelled):
        yield record_preparation(done, recorder)


def _prepare_all(
    sources: tuple[CaseSource, ...], dataset: str, settings: Settings, backend: Backend, cancelled: Callable[[], bool]
) -> Iterator[Preparation]:
    from joblib import Parallel, delayed, parallel_config  # noqa: PLC0415 - not needed to open the app

    workers = min(settings.workers, len(sources)) or 1

    def jobs() -> Iterator[Any]:
        for source in sources:
            if cancelled():
                return
            yield delayed(prepare_source)(source, dataset, settings.prepared)

    if backend != "dask" and workers == 1:
        for function, arguments, named in jobs():
            yield function(*arguments, **named)
        return
    if backend == "dask":
        config = parallel_config(backend=backend, n_jobs=-1)
    elif backend == "loky":
        config = parallel_config(backend=backend, n_jobs=workers, initializer=ignore_interrupt)
    else:
        config = parallel_config(backend=backend, n_jobs=workers)
    # One case at a time is handed out, so that a cancel stops after those under way.
    with config:
        yield from Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)(jobs())


def ignore_interrupt() -> None:
    """Let Ctrl-C, which a terminal sends to every process, end the import in its main process only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def record_preparation(done: Preparation, recorder: Recorder) -> ImportOutcome:
    """Record a prepared case with its reports and say what became of it."""
    if done.row is None:
        return ImportOutcome(done.case_id, ImportStatus.FAILED, done.reason)
    try:
        results = [recorder.record_case(done.row)]
        results += [
            recorder.record_report(done.case_id, report, case_source_sha256=done.row.source_sha256)
            for report in done.reports
        ]
    except StoreError as error:
        return ImportOutcome(done.case_id, ImportStatus.FAILED, str(error))
    first = results[0]
    if first is Recorded.UNCHANGED and any(r is not Recorded.UNCHANGED for r in results):
        first = Recorded.REVISED
    return ImportOutcome(done.case_id, ImportStatus(first.value), warnings=done.warnings)


def _has_images(source: CaseSource) -> bool:
    return bool(source.pictures) or any(s.skipped is None and s.role in ("pet", "ct") for s in source.series)


def _prepare(source: CaseSource, prepared: Path) -> str:
    loaded = load_case(source)
    organs, notes = load_organs(source, loaded)
    return prepare_case(
        prepared,
        pet=loaded.pet,
        pet_unit=loaded.pet_unit,
        suv=loaded.suv,
        ct=loaded.ct,
        pictures=source.pictures,
        warnings=(*loaded.warnings, *notes),
        organs=organs,
    )


def _remembered(prepared: Path, memo: Path) -> str | None:
    try:
        key = memo.read_text(encoding="ascii").strip()
        open_prepared(prepared, key)
    except (OSError, ValueError):
        return None
    return key


def _remember(memo: Path, key: str) -> None:
    # a name of its own: another process may be importing the same case
    unfinished = memo.with_name(f".{memo.name}-{uuid4().hex[:8]}.part")
    try:
        memo.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(key, encoding="ascii")
        unfinished.replace(memo)
    except OSError as error:
        with contextlib.suppress(OSError):  # the folder itself may be what fails
            unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"The prepared case could not be written: {error.strerror}.", hint="Free some space and import again."
        ) from error


def prepared_row(source: CaseSource, dataset: str, sha256: str, prepared: Path, key: str | None) -> CaseRow:
    """Return the row of a case for the store; what its images have is read from the prepared case."""
    row = CaseRow(
        case_id=source.case_id,
        dataset=dataset,
        layout=source.layout,
        prepared_key=key,
        source_sha256=sha256,
        metadata=dict(source.metadata),
        suv={"warnings": []},
    )
    if key is None:
        return row
    case = open_prepared(prepared, key)
    suv = {**asdict(case.suv), "unit": case.pet_unit, "warnings": list(case.warnings)}
    slices: KeySlices | None = case.key_slices
    return replace(
        row,
        has_pet=case.pet is not None,
        has_ct=case.ct is not None,
        n_pictures=len(case.pictures),
        suv=suv,
        key_slices=slices,
    )
