"""What both pages that generate share: where the work happens, what is asked already, how long things take."""

from __future__ import annotations

from pet2rep_core.ui.frame import Page
from pet2rep_core.workflow.jobs import GenerateJob, start_generating
from pet2rep_core.workflow.live_answer import LiveAnswer
from pet2rep_core.workflow.run_log import record_start
from pet2rep_core.workflow.run_outcome import Workplace
from pet2rep_core.workflow.run_plan import RunPlan


def workplace(page: Page) -> Workplace:
    """Return where a run of this person works."""
    return Workplace(page.server.store, page.server.settings, page.server.display, page.person)


def is_asked_now(page: Page, plan: RunPlan) -> bool:
    """Tell whether something of a plan is being asked already; it must not be asked, and paid, twice."""
    wanted = {(item.run.run_id, item.case.case_id) for item in plan.items}
    at_work: list[GenerateJob | LiveAnswer] = [*page.server.generate_jobs, *page.server.answers.values()]
    return any(
        (item.run.run_id, item.case.case_id) in wanted for job in at_work if job.running for item in job.plan.items
    )


def start_answer(page: Page, case_id: str, plan: RunPlan) -> LiveAnswer:
    """Let one model write one report; the page shows it as it comes."""
    job = LiveAnswer(workplace(page), plan)
    page.server.answers[page.reader, case_id] = job
    return job


def start_run(page: Page, plan: RunPlan) -> GenerateJob:
    """Start a run over many cases; it belongs to the server, not to the page."""
    name = ", ".join(pairing.name for pairing in plan.pairings)
    job = start_generating(workplace(page), plan, name=name)
    record_start(page.server.store, page.person, plan)
    page.server.generate_jobs.append(job)
    return job


def span_in_words(page: Page, seconds: float) -> str:
    """Return a time as a person says it: seconds, minutes or hours."""
    if seconds < 1:
        return page.text("generate.under_a_second")
    if seconds < 90:
        return page.text("generate.seconds", n=f"{seconds:.0f}")
    if seconds < 5400:
        return page.text("generate.minutes", n=f"{seconds / 60:.0f}")
    return page.text("generate.hours", n=f"{seconds / 3600:.1f}")
