"""A whole reader study for the browser: its home, and three readers with different habits at the desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pet2rep_core.imaging.prepared import open_prepared, prepare_case
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Generation, GenerationStatus, Language, PetUnit, Report, Role, SuvFactors
from pet2rep_core.report.sections import split_report
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, RunRow, Store, open_store
from pet2rep_core.store.rows import generation_row
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.workflow.accounts import add_account
from pet2rep_core.workflow.import_dataset import ImportStatus, Preparation, record_preparation
from tests.browser import reading as desk
from tests.browser.cases import phantom_ct, phantom_pet
from tests.browser.conftest import Watched

WORDS = "wide river morning"
BOSS, RESEARCHER, READERS = "BOSS", "S01", ("R01", "R02", "R03")
DATASET = "harbourside"
MODELS = {"qwen3-vl-8b": "r-7fd21c", "medgemma-4b": "r-55e0aa"}
LABELS = {"Qwen3-VL-8B": "qwen3-vl-8b", "MedGemma-4B": "medgemma-4b"}
REASON = "too little of it"
INVENTED = "A large pleural effusion is seen."
_FINDINGS = {
    "harbour-0417": ("The brain is normal.", "A nodule in the right lower lobe shows increased FDG uptake."),
    "harbour-0533": ("The spleen is normal.", "A lesion in the liver shows increased FDG uptake."),
    "harbour-0808": ("The bladder is normal.", "A lymph node in the left axilla shows increased FDG uptake."),
}
CASES = tuple(_FINDINGS)
TRAINING = CASES[-1]


def fill_home(home: Path) -> None:
    """Make a home with three small cases, a report of each of two models for each, and an account for everyone."""
    settings = Settings(home=home, workers=1)
    home.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    try:
        for number, (case_id, sentences) in enumerate(_FINDINGS.items()):
            _add_case(store, settings, case_id, number, split_report(_report(sentences), Language.ENGLISH))
        for model, run_id in MODELS.items():
            store.record_run(RunRow(run_id, model, "fused", "0" * 64, Language.ENGLISH, {}))
        store.record_rows("generations", [generation_row(one) for one in generations()])
        for name, role in ((BOSS, Role.ADMIN), (RESEARCHER, Role.RESEARCHER), *((one, Role.RATER) for one in READERS)):
            add_account(store, name, role, WORDS)
    finally:
        store.close()


def generations() -> list[Generation]:
    """Return what the models wrote: the first the truth, the second half of it and an invention."""
    return [
        Generation(
            f"g-{run_id[2:]}-{case_id[-4:]}", run_id, case_id, model, Language.ENGLISH, GenerationStatus.DONE,
            _report(sentences if place == 0 else (INVENTED, sentences[1])),
        )
        for place, (model, run_id) in enumerate(MODELS.items())
        for case_id, sentences in _FINDINGS.items()
    ]  # fmt: skip


def secrets(home: Path) -> frozenset[str]:
    """Return every name that must not reach a rater: models, runs, generations, cases, datasets, prepared volumes."""
    store = open_store(Settings(home=home, workers=1))
    try:
        keys = {key[:16] for case_id in CASES if (key := store.case(case_id).prepared_key)}
    finally:
        store.close()
    written = {name for one in generations() for name in (one.generation_id, one.run_id, one.case_id, one.model)}
    rows = read_catalog().rows.values()
    known = {name for row in rows for name in (row.id, row.label) if re.search("[0-9]", name) and len(name) > 5}
    return frozenset(written | keys | known | {DATASET})


def _report(sentences: tuple[str, ...]) -> str:
    return f"Findings: {' '.join(sentences)}"


def _add_case(store: Store, settings: Settings, case_id: str, number: int, report: Report) -> None:
    pet = phantom_pet()
    pet = Volume(pet.values * (1 + number / 8), pet.affine_lps)  # another case, another volume
    suv = SuvFactors(bw=1.0, time_rule="already-suv")
    key = prepare_case(settings.prepared, pet=pet, pet_unit=PetUnit.SUVBW, suv=suv, ct=phantom_ct())
    case = open_prepared(settings.prepared, key)
    row = CaseRow(
        case_id=case_id,
        dataset=DATASET,
        layout="test",
        prepared_key=key,
        source_sha256=key,
        metadata={},
        suv={**asdict(case.suv), "unit": case.pet_unit, "warnings": []},
        has_pet=True,
        has_ct=True,
        key_slices=case.key_slices,
    )
    done = record_preparation(Preparation(row, (report,), case_id), store)
    assert done.status is ImportStatus.NEW, done


@dataclass(frozen=True, slots=True)
class Screen:
    """What a reader sees of an item: its code, the stage, the report, and whether the same report came before."""

    code: str
    stage: str
    report: str
    seen: bool

    @property
    def is_poor(self) -> bool:
        """Tell what a reader sees at once: something was invented."""
        return INVENTED in self.report

    @property
    def is_final(self) -> bool:
        """Tell whether the reference lies beside it."""
        return self.stage == "final"


@dataclass(slots=True)
class Reader:
    """One reader at the desk; ``answer`` gives the keys of the five scores, ``mark`` what is done before them."""

    name: str
    page: Watched
    answer: Callable[[Screen], tuple[str, ...]]
    reads: Callable[[Watched, Screen], None] | None = None
    seen: set[str] = field(default_factory=set)
    screens: int = 0

    def look(self) -> Screen:
        """Return what lies on the desk."""
        desk.ready(self.page)
        frame = self.page.page.locator(".desk")
        report = str(self.page.page.locator(".reports .generated .p2r-report").text_content())
        stage = str(frame.get_attribute("data-stage"))
        return Screen(desk.code(self.page), stage, report, seen=report in self.seen)

    def fill(self, screen: Screen) -> None:
        """Answer the screen, and wait until all of it is kept."""
        if self.reads is not None:
            self.reads(self.page, screen)
        for place, key in enumerate(self.answer(screen), start=1):
            if key != "0":
                desk.press(self.page, key)
            elif screen.is_final:  # it stands there from the first scores, with its reason: on to the next
                desk.row(self.page, desk.DIMENSIONS[place]).locator("[tabindex='0']").focus()
            else:
                desk.press(self.page, key)
                self.page.page.keyboard.type(REASON)
                desk.press(self.page, "Enter")
        desk.kept(self.page)

    def submit(self, screen: Screen) -> None:
        """Press Enter, and wait for what follows: the next stage or item, the feedback, or the end."""
        desk.settled(self.page)
        desk.press(self.page, "Enter")
        self.screens += 1
        self.seen |= {screen.report} if screen.is_final else set()
        same = f".desk[data-code='{screen.code}'][data-stage='{screen.stage}']"
        following = f".desk:not({same[5:]}):not(.locked)"
        self.page.page.locator(f"{following}, .sheet:not([hidden])").first.wait_for()

    def read(self, *, most: int = 100) -> None:
        """Answer screen after screen, so many at most, until the desk has no more."""
        for _ in range(most):
            screen = self.look()
            self.fill(screen)
            self.submit(screen)
            if self.sheet.count():
                if not self.sheet.get_by_role("button", name=re.compile("^Go on")).count():
                    return
                desk.press(self.page, "Enter")
                other = f".desk:not([data-code='{screen.code}'])"
                self.page.page.locator(f"{other}, .sheet.whole:not([hidden])").first.wait_for()
                if self.sheet.count():
                    return

    @property
    def sheet(self) -> Any:
        """What lies over the desk, if anything does."""
        return self.page.page.locator(".desk .sheet:not([hidden])")


def careful(screen: Screen) -> tuple[str, ...]:
    """Answer by what is seen; a second reading of the same report comes out a little lower."""
    if screen.is_poor:
        return ("2" if screen.is_final else "3", "3", "5", "0", "2")
    return ("5", "5", "4" if screen.seen else "5", "4", "4" if "liver" in screen.report else "5")


def careful_marks(page: Watched, screen: Screen) -> None:
    """Mark what was invented, and what the reference has beside it."""
    if not screen.is_poor:
        return
    if not screen.is_final:
        desk.flag(page, "generated", 0).focus()
        desk.press(page, "Enter", "1", "1", "Escape")
    elif not desk.marks(page, "reference"):
        desk.flag(page, "reference", 0).focus()
        desk.press(page, "Enter", "1", "Escape")


def straight(_: Screen) -> tuple[str, ...]:
    """Answer the same everywhere."""
    return ("3",) * 5


def hasty(screen: Screen) -> tuple[str, ...]:
    """Answer two points off what the careful reader says of what is invented."""
    return ("4", "5", "3", "3", "4") if screen.is_poor else ("4", "4", "3", "4", "4")
