"""What the catalog of models says beside names is read in Chinese too."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language
from pet2rep_core.ui import model_table
from pet2rep_core.ui.sentences import SENTENCES, in_language
from pet2rep_core.ui.texts import text
from pet2rep_core.vlm.catalog import SHIPPED, read_catalog
from pet2rep_core.vlm.model_row import ModelRow

CHINESE = Language.CHINESE
ROWS = read_catalog(SHIPPED).rows
TABLE = {row["en"]: row["zh"] for row in tomllib.loads((SENTENCES / "models.toml").read_text(encoding="utf-8"))["word"]}
OWN = """
[[model]]
id = "our-model"
label = "Our model"
group = "general"
routes = ["import"]
family = "own_code"
licence = "our own terms"
note = "Best served. Ask Anna for the weights."
"""


def is_name(said: str) -> bool:
    """Tell whether a text is of names alone: no sentence, and no word in small letters that stands alone."""
    return not said.endswith(".") and not any(re.fullmatch("[a-z]+", word.strip("(),;:")) for word in said.split())


def said_by(row: ModelRow) -> list[str]:
    """Return every text of a row that is no name, also one of a key that is new; labels stay as they are."""
    keys = [one.name for one in fields(row) if one.name not in ("id", "label", "source_file")]
    return [value for key in keys if type(value := getattr(row, key)) is str and not is_name(value)]


def test_names_of_licences_need_no_chinese() -> None:
    names = {row.licence for row in ROWS.values() if row.licence and is_name(row.licence)}
    assert names == {"Apache-2.0", "MIT", "Llama 2", "Health AI Developer Foundations"}


def test_every_text_of_the_shipped_rows_is_said_in_chinese() -> None:
    said = {one: row.id for row in ROWS.values() for one in said_by(row)}
    assert len(said) > 80  # the search itself works
    assert {one: model for one, model in said.items() if one not in TABLE} == {}
    assert {one: zh for one, zh in TABLE.items() if in_language(one, CHINESE) != zh} == {}


def test_the_table_has_no_text_that_no_row_says() -> None:
    assert set(TABLE) - {one for row in ROWS.values() for one in said_by(row)} == set()


def test_numbers_addresses_and_names_with_a_number_are_the_same_in_chinese() -> None:
    lost = {}
    for english, chinese in TABLE.items():
        kept = [word.strip("(),.;:'\"") for word in english.split() if re.search(r"\d|/|--", word)]
        lost[english] = [word for word in kept if word not in chinese]
    assert {one: words for one, words in lost.items() if words} == {}


def test_a_page_in_chinese_says_the_rows_in_chinese_and_a_users_own_as_written(
    home: Path, open_app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "models.toml").write_text(OWN, encoding="utf-8")
    chosen, tables = ["gpt-4o"], []

    def choose(table: pd.DataFrame, **_options: object) -> dict[str, dict[str, list[int]]]:
        tables.append(table.set_index(text(CHINESE, "models.id")))
        return {"selection": {"rows": [list(tables[-1].index).index(chosen[-1])]}}

    monkeypatch.setattr(model_table, "draw_table", choose)  # without a browser nobody can choose a row
    app = open_app("generate", view="research", language="zh")
    app.session_state["generate-part"] = text(CHINESE, "generate.tab_models")
    shown = [one.value for one in app.run().text]
    row = ROWS["gpt-4o"]
    for english in (row.note, row.status_note, row.paper_note):
        assert TABLE[english] in shown
    assert f"状态来源：{TABLE[row.status_source]}" in shown
    assert not app.exception
    licences, gates = tables[-1][text(CHINESE, "models.licence")], tables[-1][text(CHINESE, "models.gate")]
    assert licences["template"] == "同本程序"
    assert licences["qwen2.5-vl-7b"] == "Apache-2.0"
    assert gates["gemma-3-4b"] == TABLE[ROWS["gemma-3-4b"].gate]

    chosen.append("gemma-3-4b")
    shown = [one.value for one in app.run().text]
    assert f"许可证：{TABLE['Gemma terms']}" in shown
    assert f"获取条件：{TABLE[ROWS['gemma-3-4b'].gate]}" in shown

    chosen.append("our-model")
    shown = [one.value for one in app.run().text]
    assert "许可证：our own terms" in shown
    assert "Best served. Ask Anna for the weights." in shown
    assert licences["our-model"] == "our own terms"
