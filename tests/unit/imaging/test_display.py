"""Presets from a file: the file that ships, broken files, wrong names."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.imaging.display import Window, read_display
from pet2rep_core.settings import DATA_DIR

SHIPPED = (DATA_DIR / "display.toml").read_text(encoding="utf-8")


def test_the_shipped_file_reads() -> None:
    display = read_display()
    # Witness: data/display.toml itself, W 400 / L 40 being -160 to 240 HU.
    assert display.ct_window(display.default_ct) == Window(-160.0, 240.0)
    assert display.pet_window(display.default_pet) == Window(0.0, 5.0)
    assert display.ct_window("lung") == Window(-1350.0, 150.0)
    assert display.pet_window(display.model_pet).low == 0
    assert 0 < display.model_opacity < 1
    assert display.model_ct_z_limit > 0
    assert read_display() is display


def test_the_shipped_colour_maps() -> None:
    display = read_display()
    for name in display.colour_maps:
        table = display.colour_map(name)
        assert (table.shape, table.dtype) == ((256, 3), np.uint8)
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 1
    ramp = np.repeat(np.arange(256)[:, None], 3, 1)
    assert np.array_equal(display.colour_map("grey"), ramp)
    assert np.array_equal(display.colour_map("grey-inverted"), 255 - ramp)
    hot = display.colour_map("hot")
    assert hot[[0, 255]].tolist() == [[0, 0, 0], [255, 255, 255]]
    # Luminance rises all along, so that more uptake never looks like less.
    assert (np.diff(hot.astype(int).sum(axis=1)) >= 0).all()


@pytest.mark.parametrize(
    ("call", "sentence", "hint"),
    [
        ("pet_window:suv-6", "There is no PET window named 'suv-6'.", "Did you mean 'suv-"),
        ("ct_window:soft_tissue", "There is no CT window named 'soft_tissue'.", "Did you mean 'soft-tissue'?"),
        ("colour_map:Hot", "There is no colour map named 'Hot'.", "Did you mean 'hot'?"),
        ("colour_map:zzz", "There is no colour map named 'zzz'.", "Known: grey, grey-inverted, hot."),
    ],
)
def test_unknown_names_offer_the_nearest(call: str, sentence: str, hint: str) -> None:
    method, name = call.split(":")
    with pytest.raises(UnknownNameError) as caught:
        getattr(read_display(), method)(name)
    assert caught.value.message == sentence
    assert caught.value.hint.startswith(hint)


def broken(old: str, new: str) -> str:
    assert SHIPPED.count(old) == 1, old
    return SHIPPED.replace(old, new)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'pet_windows'"),
        ("pet_windows = [", "cannot be used"),
        (broken("[colour_maps]", "[colours]"), "'colour_maps'"),
        (broken('default = "suv-5"', 'default = "suv-99"'), "There is no PET window named 'suv-99'"),
        (broken('default = "soft-tissue"', 'default = "soft"'), "There is no CT window named 'soft'"),
        (broken('colour_map = "hot"', 'colour_map = "cold"'), "There is no colour map named 'cold'"),
        (broken('pet_window = "suv-5"', 'pet_window = "suv5"'), "There is no PET window named 'suv5'"),
        (broken("[0.0, 7.0]", "[7.0, 7.0]"), "The window 7 to 7 has no width."),
        (broken("[0.0, 7.0]", "[7.0]"), "cannot be used"),
        (broken("[0.0, 7.0]", '["a", "b"]'), "cannot be used"),
        (broken("width = 150,", "width = -150,"), "The window 165 to 15 has no width."),
        (broken("width = 150, ", ""), "'width'"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0, 0], [1.0, 255, 300, 255]]"), "0 to 255"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[1.0, 0, 0, 0], [0.0, 255, 0, 255]]"), "rising"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0], [1.0, 255, 255]]"), "cannot be used"),
        ('pet_windows = {default="a", presets=[]}\nct_windows = 1\nmodel_picture = 1', "cannot be used"),
        ("\ud800", "cannot be used"),
    ],
)
def test_a_broken_file_is_a_settings_error(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "display.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SettingsError) as caught:
        read_display(path)
    assert words in caught.value.message
    assert caught.value.hint
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_display(tmp_path / "absent.toml")
    assert caught.value.message == "absent.toml cannot be used: No such file or directory."


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf"))])
def test_a_window_without_width_is_refused(low: float, high: float) -> None:
    with pytest.raises(SettingsError, match="has no width"):
        Window(low, high)


@given(width=st.floats(1e-3, 1e5), center=st.floats(-1e4, 1e4))
def test_width_and_centre(width: float, center: float) -> None:
    window = Window.of(width, center)
    assert window.high - window.low == pytest.approx(width, rel=1e-6, abs=1e-8)
    assert (window.high + window.low) / 2 == pytest.approx(center, abs=1e-6)
