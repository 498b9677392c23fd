"""The texts of the interface: both languages say the same things, and every key that the code asks for is there."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.imaging.measure import THRESHOLDS
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import GenerationStatus, Language, MarkKind, Role, StudyState, UptakeState
from pet2rep_core.scoring.clinical import Agreement
from pet2rep_core.study.agreement import STATISTICS
from pet2rep_core.study.design import Design
from pet2rep_core.study.leaks import leak_kinds
from pet2rep_core.study.repeats import STATISTICS as REPEATS
from pet2rep_core.study.validity import MEASURES
from pet2rep_core.ui.frame import PAGES, READING, RESEARCH
from pet2rep_core.ui.study_results import PARTS as STUDY_PARTS
from pet2rep_core.ui.texts import read_texts, text
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.model_row import OPTIONS, Group, Proof, Status
from pet2rep_core.vlm.request import Route
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.export import TABLES
from pet2rep_core.workflow.generate import TEXT_ONLY
from pet2rep_core.workflow.import_dataset import ImportStatus
from pet2rep_core.workflow.readiness import Ready
from pet2rep_core.workflow.study_file import ACTIONS
from pet2rep_core.workflow.study_records import ItemProgress, NoDeskReason
from tests.browser.server import PROJECT

# Keys that the code puts together, by the table that they follow.
BUILT = {
    **{f"menu.{name}": "frame" for name in PAGES},
    **{f"app.{name}": "frame" for name in (READING, RESEARCH)},
    **{f"model.{name}": "reports" for name in BUILT_IN_MODELS},
    **{f"behaviour.{one.value}": "reports" for one in Behaviour},
    **{f"state.{one.value}": "reports" for one in UptakeState},
    **{f"agreement.{one.value}": "reports" for one in Agreement},
    **{f"generate.ready_{one.value.replace('-', '_')}": "models" for one in Ready if one is not Ready.YES},
    **{f"generate.route_{one.value.replace('-', '_')}": "models" for one in Route},
    **{f"generate.way_{name}": "models" for name in ("transformers", "openai", "anthropic")},
    **{f"generate.proof_{one.value.replace('-', '_')}": "models" for one in Proof},
    **{f"generate.ended_{name}": "models" for name in (*GenerationStatus, "not_asked", "already")},
    **{f"generate.next_{one.value}": "answering" for one in GenerationStatus if one is not GenerationStatus.DONE},
    **{f"generate.phase_{name}": "answering" for name in ("starting", "checking", "loading", "asking")},
    **{f"generate.cases_{name}": "batch_runs" for name in ("all", "datasets", "chosen")},
    **{f"generate.{name}": "model_options" for name in OPTIONS},
    **{f"generate.tab_{name}": "5_Generate" for name in ("new", "runs", "models", "outputs", "privacy")},
    **{f"leaderboard.setting_{name}": "names" for name in (*INPUT_SETTINGS, TEXT_ONLY)},
    **{f"leaderboard.group_{one.value}": "names" for one in Group},
    **{f"models.status_{one.value}": "model_table" for one in Status},
    **{f"import_status.{one.value}": "importing" for one in ImportStatus},
    **{f"results.{name}_name": "results" for name in TABLES},
    **{f"sign_in.role_{role.value}": "who" for role in Role},
    **{f"home.{name}": "overview" for name in ("cases", "generated", "ratings")},
    **{f"viewer.{name}": "viewer" for name in ("ct", "pet", "fused", "mip", "coronal", "axial", "sagittal")},
    **{f"viewer.layout_{name}": "viewer" for name in ("four", "planes", "one")},
    **{f"viewer.group_{name}": "viewer" for name in ("planes", "layouts", "display", "tools")},
    **{f"viewer.threshold_{name.replace('.', '_')}": "viewer" for name in THRESHOLDS},
    **{
        f"viewer.tool_{name}": "viewer"
        for name in ("cross", "window", "pan", "zoom", "sphere", "liver", "freehand", "line")
    },
    **{
        f"viewer.mouse_{name}{part}": "viewer"
        for name in ("wheel", "drag_right", "drag_middle", "double")
        for part in ("", "_name")
    },
    **{f"study_results.stat_{name}": "study_agreement" for name in STATISTICS},
    **{f"study_results.repeat_{name}": "study_agreement" for name in REPEATS},
    **{f"study_results.shift_{name}": "study_agreement" for name in ("mean", "changed", "up", "down")},
    **{f"study_results.measure_{name}": "study_models" for name in MEASURES},
    **{f"study_results.part_{name}": "study_results" for name in STUDY_PARTS},
    **{f"studies.state_{one.value}{part}": "studies" for one in StudyState for part in ("", "_help")},
    **{
        f"studies.to_{one.value}{part}": "studies"
        for one in StudyState
        if one is not StudyState.DRAFT
        for part in ("", "_help", "_sure")
    },
    **{f"studies.design_{one.value}": "study_form" for one in Design},
    **{f"studies.leak_{kind}": "study_watching" for kind in leak_kinds()},
    **{f"studies.action_{name.replace('-', '_')}": "study_watching" for name in ACTIONS},
    **{
        f"studies.tab_{name}": "studies"
        for name in ("progress", "quality", "differences", "blinding", "plan", "events")
    },
    **{f"studies.flag_{name}": "study_watching" for name in ("straight_lining", "too_fast", "drift", "leniency")},
    "review.no_generated": "reports",
    "review.no_generated_reading": "reports",
}


def _placeholders(value: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}


def _sources() -> list[Path]:
    return [*sorted((PROJECT / "pet2rep_core" / "ui").rglob("*.py")), *sorted((PROJECT / "pages").glob("*.py")),
            PROJECT / "home.py"]  # fmt: skip


def _asked() -> dict[str, tuple[Path, int, set[str]]]:
    """Return every literal key that is asked for, where, and with which values."""
    found = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in ("text", "say"):
                continue
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value:
                    values = {word.arg for word in node.keywords if word.arg}
                    found[argument.value] = (path, node.lineno, values)
    return found


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    chinese, english = read_texts(Language.CHINESE), read_texts(Language.ENGLISH)
    assert set(chinese) == set(english)
    different = {k for k in english if _placeholders(chinese[k]) != _placeholders(english[k])}
    assert different == set()
    assert [k for k in english if not chinese[k].strip() or not english[k].strip()] == []


def test_every_key_that_the_code_asks_for_exists_and_gets_its_values() -> None:
    asked, texts = _asked(), read_texts(Language.ENGLISH)
    assert len(asked) > 80  # the search itself works
    assert {key: str(where) for key, (where, _, _) in asked.items() if key not in texts} == {}
    assert {k for k, (_, _, values) in asked.items() if values != _placeholders(texts[k])} == set()


def test_every_key_that_the_code_puts_together_exists() -> None:
    assert set(BUILT) - set(read_texts(Language.ENGLISH)) == set()


def test_every_text_of_the_viewer_is_used_and_every_one_that_its_scripts_ask_for_exists() -> None:
    folder = PROJECT / "pet2rep_core" / "ui" / "viewer"
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    literal = set(re.findall(r"""\btext\(["']([a-z0-9_]+)["']""", scripts)) | set(
        re.findall(r'"(key_[a-z_]+)"', scripts)
    )
    assert len(literal) > 40  # the search itself works
    there = {key.removeprefix("viewer.") for key in read_texts(Language.ENGLISH) if key.startswith("viewer.")}
    assert literal - there == set()
    used = literal | {key.removeprefix("viewer.") for key in (*BUILT, *_asked())}
    quoted = {name for name in there if f'"{name}"' in scripts or f"'{name}'" in scripts}
    assert there - used - quoted == set()


def test_every_text_of_the_desk_is_used_and_every_one_that_its_scripts_ask_for_exists() -> None:
    folder = PROJECT / "pet2rep_core" / "ui" / "desk"
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    literal = set(re.findall(r"""\btext\(["']([a-z0-9_]+)["']""", scripts)) | set(
        re.findall(r'"(key_[a-z_]+)"', scripts)
    )
    assert len(literal) > 60  # the search itself works
    built = {
        *(f"kind_{kind.value}{part}" for kind in MarkKind for part in ("", "_short")),
        *(f"item_{one.value}" for one in ItemProgress),
        *(f"empty_{reason.value}{part}" for reason in NoDeskReason for part in ("", "_lead")),
        *(f"reason_{n}" for n in range(1, 5)),
        *("kind_missed", "kind_missed_short"),
    }
    there = {key.removeprefix("desk.") for key in read_texts(Language.ENGLISH) if key.startswith("desk.")}
    assert (literal | built) - there == set()
    quoted = {name for name in there if f'"{name}"' in scripts}
    assert there - literal - built - quoted - {"failed"} == set()


def test_chinese_texts_are_chinese() -> None:
    """Only names stay in Latin letters."""
    latin = {
        key: value
        for key, value in read_texts(Language.CHINESE).items()
        if not any("\u4e00" <= character <= "\u9fff" for character in value)
    }
    allowed = {"PET", "CT", "MIP", "SUV", "F1", "–", "-", "n/a", "N/A", "SUV 2.5", "SUV 4.0", "PET（DICOM）"}
    assert {key: value for key, value in latin.items() if value not in allowed} == {}


def test_an_unknown_key_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no text named 'app\.nam'\. Did you mean 'app\.name'\?"):
        text(Language.ENGLISH, "app.nam")


def test_values_are_filled_in_as_they_are() -> None:
    assert text(Language.ENGLISH, "scores.none", reason="{x} %s") == "not scored: {x} %s"


def test_windows_have_names() -> None:
    display = read_display()
    assert display.default_ct in display.ct_windows
    assert display.default_pet in display.pet_windows
