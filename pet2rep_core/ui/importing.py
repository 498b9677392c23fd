"""The import page: preview, progress, cancel, outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import streamlit as st

from pet2rep_core.datasets.layouts import LAYOUTS, scan_dataset
from pet2rep_core.records import DatasetScan, SeriesInfo, SeriesRole
from pet2rep_core.ui import state
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, link_to, page_part
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.import_dataset import ImportOutcome, import_cases
from pet2rep_core.workflow.jobs import ImportJob


def ask_path(page: Page) -> DatasetScan | None:
    """Ask for a path and return what was found there; nothing is written."""
    with st.form("look", border=False):
        path_box, button_box = st.columns([6, 1], vertical_alignment="bottom")
        path = path_box.text_input(
            page.text("import.path"), value=st.session_state.get(state.SCAN_PATH, ""), key="import_path_box"
        )
        looked = button_box.form_submit_button(page.text("import.look"), type="primary", width="stretch")
    with st.expander(page.text("import.layouts")):
        for layout in LAYOUTS.values():
            st.text(f"{layout.name}: {page.said(layout.description)}")
    if looked and path.strip():
        st.session_state[state.SCAN_PATH] = path.strip()
        st.session_state[state.SCAN] = None
        with st.spinner(" "):
            st.session_state[state.SCAN] = scan_dataset(Path(path.strip()))
    found: DatasetScan | None = st.session_state.get(state.SCAN)
    return found


def draw_preview(page: Page, scan: DatasetScan) -> None:
    """Draw what would be imported and what would not, and the button that starts it."""
    say = page.text
    st.markdown(
        f"**{say('import.layout', layout=scan.layout)}** · "
        + say("import.found", cases=len(scan.cases), errors=len(scan.errors))
    )
    rows = [
        {
            say("import.case"): case.case_id,
            say("import.pet"): _size(case.used(SeriesRole.PET)),
            say("import.ct"): _size(case.used(SeriesRole.CT)),
            say("import.suv"): (series.units or NONE) if (series := case.used(SeriesRole.PET)) else NONE,
            say("import.pictures"): len(case.pictures),
            say("import.reports"): page.formats.listed(LANGUAGE_NAMES[r.language] for r in case.reports) or NONE,
        }
        for case in scan.cases
    ]
    if rows:
        draw_table(rows)
    left_out = [
        _left_out(page, f"{case.case_id}: {series.description or series.role.value}", series.skipped)
        for case in scan.cases
        for series in case.series
        if series.skipped
    ]
    left_out += [_left_out(page, error.where, error.reason) for error in scan.errors]
    if left_out:
        st.markdown(f"**{say('import.skipped')}**")
        draw_table(left_out)
    if not scan.cases:
        return
    name = st.text_input(say("import.dataset"), value=scan.root.resolve().stem, max_chars=64)
    running = any(job.running for job in page.server.jobs)
    if st.button(say("import.start", n=len(scan.cases)), type="primary", disabled=running or not name.strip()):
        _start(page, scan, name.strip())
        st.session_state[state.SCAN] = None
        st.rerun()


def draw_job(page: Page) -> None:
    """Draw the newest import: progress and cancel while it runs, its outcome afterwards."""
    if page.server.jobs:
        _draw_job(page, page.server.jobs[-1])


def _start(page: Page, scan: DatasetScan, name: str) -> None:
    server, person = page.server, page.operator
    total = len(scan.cases) + len(scan.errors)

    def start(cancelled: Callable[[], bool]) -> Iterator[ImportOutcome]:
        # Threads, not processes: the server's memory and its store are here already.
        return import_cases(
            scan, server.settings, server.store, dataset=name, backend="threading", cancelled=cancelled, person=person
        )

    server.store.record_event(page.reader, "import", "dataset", name, {"cases": len(scan.cases), "layout": scan.layout})
    server.jobs.append(ImportJob(name, total, start))


def _draw_job(page: Page, job: ImportJob) -> None:
    if job.running:
        _draw_running(page, job)
        return
    say = page.text
    if job.problem is not None:
        st.error(escape_markdown(page.said(str(job.problem))))
    counts = Counter(outcome.status.value for outcome in job.outcomes)
    if job.cancelled and len(job.outcomes) < job.total:
        st.warning(say("import.cancelled", done=len(job.outcomes), total=job.total))
    summary = say(
        "import.done",
        new=counts["new"] + counts["revised"],
        unchanged=counts["unchanged"],
        failed=counts["failed"],
    )
    st.success(page.formats.labelled(escape_markdown(job.name), summary))
    rows = [_outcome(page, outcome) for outcome in job.outcomes]
    if rows:
        draw_table(rows)
    link_to("review", say("import.review_now"), icon=":material/visibility:")


@partial(page_part, run_every=0.7)
def _draw_running(page: Page, job: ImportJob) -> None:
    say = page.text
    done = len(job.outcomes)
    left = job.seconds_left
    words = say("import.running", done=done, total=job.total)
    if left is not None:
        words += " · " + say("import.left", seconds=f"{left:.0f}")
    st.progress(done / job.total if job.total else 0.0, page.formats.labelled(escape_markdown(job.name), words))
    if job.cancelled:
        st.caption(say("import.cancelling"))
    elif st.button(say("import.cancel")):
        job.cancel()
    if not job.running:
        st.rerun()


def _outcome(page: Page, outcome: ImportOutcome) -> dict[str, str]:
    say = page.text
    return {
        say("import.case"): outcome.case_id,
        say("import.status"): say(f"import_status.{outcome.status.value}"),
        say("import.reason"): page.said(outcome.reason),
        say("import.warnings"): " ".join(map(page.said, outcome.warnings)),
    }


def _left_out(page: Page, where: str, reason: str) -> dict[str, str]:
    return {page.text("import.where"): where, page.text("import.reason"): page.said(reason)}


def _size(series: SeriesInfo | None) -> str:
    return NONE if series is None or series.size is None else "×".join(map(str, series.size))
