"""The catalog of models: ``data/models.toml``, and the rows of the user's own file on top of it.

A user's file has the same shape. A row with an id that is there already changes the keys that it names; any other is a
new model. ``PET2REP_MODELS`` names the file; else it is ``models.toml`` in the folder of this installation.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.settings import DATA_DIR, read_settings
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.model_row import OPTIONS, Family, Group, LengthOption, ModelRow, PictureRule, Price, Status
from pet2rep_core.vlm.request import Route

SHIPPED = DATA_DIR / "models.toml"
LOCAL_SERVER = "http://127.0.0.1:8000/v1"
"""Where vLLM and ``transformers serve`` listen when they are started without a port."""
_SAMPLING_OF_SERVERS = ("top_k", "repetition_penalty")
_TABLES = ("family", "model", "updated")
_ENUMS = {"group": Group, "status": Status, "length_option": LengthOption, "rule": PictureRule}
_TEXTS = (
    "id", "label", "released", "repo", "api_model", "base_url", "key_env", "licence", "gate", "paper_note",
    "status_date", "status_source", "status_note", "note", "model_type", "currency", "date", "source",
)  # fmt: skip
_LISTS = ("routes", "accepts", "extra_body", "paper_rows", "architectures", "placeholders")
_WHOLE = (
    "max_images", "trained_images", "context", "max_output", "advised_new_tokens", "side", "tokens", "min_pixels",
    "max_pixels", "max_tiles", "marks",
)  # fmt: skip
_NUMBERS = ("size_b", "memory_gb", "scale", "wide_tokens", "narrow_tokens", "input", "output")
_YES_NO = ("thinking_counts", "needs_torchvision", "twin")
_REQUIRED = ("id", "label", "group", "routes", "family")
_ROW_KEYS = frozenset(one.name for one in fields(ModelRow)) - {"source_file"}
_FAMILY_KEYS = frozenset(one.name for one in fields(Family)) - {"name"}
_PRICE_KEYS = frozenset(one.name for one in fields(Price))


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every model by its id, in the order of the tables, and the families by their names."""

    rows: Mapping[str, ModelRow]
    families: Mapping[str, Family]
    updated: str

    def row(self, model: str) -> ModelRow:
        """Return a model by its id.

        Raises
        ------
        UnknownNameError
            If there is none; it offers the nearest.
        """
        if model not in self.rows:
            raise UnknownNameError("model", model, self.rows)
        return self.rows[model]

    def of_paper(self, name: str) -> tuple[ModelRow, ...]:
        """Return the rows on which the published numbers of a name in Table 1 hang."""
        return tuple(row for row in self.rows.values() if name in row.paper_rows)


def read_catalog(user_file: Path | None = None) -> Catalog:
    """Return the shipped catalog with the user's rows on top.

    Parameters
    ----------
    user_file : Path, optional
        The user's own table; that of the settings where it is left out, if there is one.

    Raises
    ------
    SettingsError
        If a file cannot be read, or a row in it cannot be used; it names the row and the key.
    """
    raw = _shipped()
    settings = read_settings()
    chosen = user_file or settings.models
    own = chosen or settings.home / "models.toml"
    tables = [(SHIPPED.name, raw)]
    if chosen is not None or own.is_file():
        tables.append((own.name, _read(own)))
    return _catalog(tables)


@cache
def _shipped() -> dict[str, Any]:
    return _read(SHIPPED)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"The table of models {path.name} cannot be read: {error.strerror}.",
            hint="Correct PET2REP_MODELS, or take it out.",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The table of models {path.name} cannot be read: {error}.", hint="Correct the file; it is TOML in UTF-8."
        ) from error
    for key in content:
        if key not in _TABLES:
            raise SettingsError(
                f"The table of models {path.name} has {key!r} at its top.",
                hint="A file of models has [[model]] rows and [family.NAME] tables.",
            )
    if not isinstance(content.get("model", []), list) or not isinstance(content.get("family", {}), dict):
        raise SettingsError(
            f"The table of models {path.name} has no rows that can be read.",
            hint="A file of models has [[model]] rows and [family.NAME] tables.",
        )
    return content


def _catalog(tables: Iterable[tuple[str, dict[str, Any]]]) -> Catalog:
    families: dict[str, dict[str, Any]] = {}
    rows: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    updated = ""
    for file, content in tables:
        updated = updated or str(content.get("updated", ""))
        for name, keys in content.get("family", {}).items():
            families[name] = {**families.get(name, {}), **_table(f"family.{name}", keys)}
        seen: set[str] = set()
        for number, entry in enumerate(content.get("model", []), 1):
            keys = _table(f"model {number}", entry)
            model = keys.get("id")
            if not isinstance(model, str) or not model:
                raise SettingsError(f"The model {number} of {file} has no id.", hint="Give it an id of small letters.")
            if model in seen:
                raise SettingsError(f"The model {model!r} stands twice in {file}.", hint="Take one of the rows out.")
            seen.add(model)
            rows[model] = {**rows.get(model, {}), **keys}
            files[model] = file
    made = {name: Family(name=name, **_values(name, keys, _FAMILY_KEYS)) for name, keys in families.items()}
    return Catalog(
        MappingProxyType({model: _row(model, keys, made, files[model]) for model, keys in rows.items()}),
        MappingProxyType(made),
        updated,
    )


def _row(model: str, keys: dict[str, Any], families: Mapping[str, Family], file: str) -> ModelRow:
    for key in _REQUIRED:
        if key not in keys:
            raise SettingsError(f"The model {model!r} has no {key!r}.", hint=f"Add {key} to its row in {file}.")
    values = _values(model, keys, _ROW_KEYS)
    family = values["family"]
    if family not in families:
        raise UnknownNameError("family of models", str(family), families)
    values["family"] = families[family]
    values["routes"] = tuple(_member(model, "routes", Route, one) for one in values["routes"])
    if Route.BUILT_IN in values["routes"] and model not in BUILT_IN_MODELS:
        raise SettingsError(
            f"The model {model!r} has the route 'built-in' and is none of the program's own.",
            hint=f"Built in are: {', '.join(BUILT_IN_MODELS)}.",
        )
    if "accepts" in values:
        values["accepts"] = frozenset(values["accepts"])
    if Route.OPENAI in values["routes"] and values.get("repo"):
        beside = tuple(name for name in _SAMPLING_OF_SERVERS if name in values.get("accepts", OPTIONS))
        values = {"base_url": LOCAL_SERVER, "api_model": values["repo"], "extra_body": beside, **values}
    return ModelRow(**values, source_file=file)


def _values(name: str, keys: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return the keys of a row, a family or a price with the types that they must have."""
    found: dict[str, Any] = {}
    for key, value in keys.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise SettingsError(
                f"The model {name!r} has the key {key!r}, which no row has.",
                hint=f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}.",
            )
        found[key] = _value(name, key, value)
    return found


def _value(name: str, key: str, value: Any) -> Any:
    if key == "prices":
        return _price(name, value)
    if key == "limits":
        return MappingProxyType({option: _bounds(name, option, pair) for option, pair in _table(name, value).items()})
    if key in _ENUMS:
        return _member(name, key, _ENUMS[key], value)
    kinds: tuple[tuple[tuple[str, ...], bool, str], ...] = (
        (_LISTS, isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of texts"),
        (_YES_NO, isinstance(value, bool), "true or false"),
        (_WHOLE, isinstance(value, int) and not isinstance(value, bool), "a whole number"),
        (_NUMBERS, isinstance(value, int | float) and not isinstance(value, bool), "a number"),
        ((*_TEXTS, "family"), isinstance(value, str), "a text"),
    )
    for members, right, wanted in kinds:
        if key in members and not right:
            raise SettingsError(f"The model {name!r} has {value!r} as {key!r}.", hint=f"Give {wanted}.")
    return tuple(value) if key in _LISTS else value


def _price(name: str, value: Any) -> Price:
    keys = _values(name, _table(name, value), _PRICE_KEYS)
    for key in sorted(_PRICE_KEYS):
        if key not in keys:
            raise SettingsError(
                f"The model {name!r} has prices without {key!r}.",
                hint="Prices need input, output, currency, date and source.",
            )
    if keys["input"] < 0 or keys["output"] < 0:
        raise SettingsError(f"The model {name!r} has a price below 0.", hint="Give prices of a million tokens.")
    return Price(**keys)


def _bounds(name: str, option: str, value: Any) -> tuple[float, float]:
    numbers = value if isinstance(value, list) else [value, value]
    right = len(numbers) == 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    if not right or numbers[0] > numbers[1]:
        raise SettingsError(
            f"The model {name!r} has {value!r} as limits of {option!r}.",
            hint="Give one number, or the lowest and the highest in a list.",
        )
    return float(numbers[0]), float(numbers[1])


def _member(name: str, key: str, kind: type[Any], value: Any) -> Any:
    known = [one.value for one in kind]
    if value not in known:
        raise SettingsError(f"The model {name!r} has {value!r} as {key!r}.", hint=f"Use one of: {', '.join(known)}.")
    return kind(value)


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"In the table of models, {name!r} is no table.", hint="Write key = value lines below it.")
    return value
