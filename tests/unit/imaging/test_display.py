"""Presets from a file: the file that ships, broken files, wrong names."""

import json
from pathlib import Path

import numpy as np
import plotly.colors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels.processing import apply_color_lut

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.imaging.display import Window, colour_table, read_display
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
    # The order is that of the number keys.
    assert list(display.pet_windows.values()) == [Window(0, 5), Window(0, 7), Window(0, 10), Window(0, 15)]
    assert list(display.ct_windows) == ["soft-tissue", "lung", "bone", "brain", "liver"]
    assert (display.pet_map, display.fused_map, display.opacity) == ("grey-inverted", "hot", 0.5)
    assert display.fused_maps == ("hot", "hot-iron", "pet-dicom", "viridis")


def test_the_shipped_colour_maps() -> None:
    display = read_display()
    assert list(display.colour_maps) == list(display.colour_points)
    for name in display.colour_maps:
        table = display.colour_map(name)
        assert (table.shape, table.dtype) == ((4096, 3), np.uint8)
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 1
    # Witness: whole-number arithmetic, halves up.
    ramp = np.array([[(2 * 255 * level + 4095) // (2 * 4095)] * 3 for level in range(4096)])
    assert np.array_equal(display.colour_map("grey"), ramp)
    assert np.array_equal(display.colour_map("grey-inverted"), ramp[::-1])
    assert display.colour_map("hot")[[0, -1]].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("name", ["grey", "hot", "hot-iron", "viridis"])
def test_more_uptake_never_looks_like_less(name: str) -> None:
    red, green, blue = read_display().colour_map(name).astype(float).T
    brightness = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # ITU-R BT.709
    assert np.diff(brightness).min() > -0.7  # less than one grey level, from rounding
    assert brightness[0] < 25
    assert brightness[-1] > 200
    assert (np.diff(brightness[::64]) > 0).all()


@pytest.mark.parametrize(
    ("name", "palette"), [("hot-iron", "1.2.840.10008.1.5.1"), ("pet-dicom", "1.2.840.10008.1.5.2")]
)
def test_dicom_palettes_are_those_of_pydicom(name: str, palette: str) -> None:
    # Witness: the palettes of PS3.6 B.1 as pydicom ships them.
    published = apply_color_lut(np.arange(256, dtype=np.uint8), palette=palette)
    display = read_display()
    assert np.array_equal(colour_table(display.colour_points[name], 256), published)
    # The finer table passes through the same colours; the nearest of 4096 levels is half a level away.
    levels = np.rint(np.arange(256) * 4095 / 255).astype(int)
    assert np.abs(display.colour_map(name)[levels].astype(int) - published).max() <= 1


def test_viridis_is_that_of_plotly() -> None:
    # Witness: plotly's ten colours of matplotlib's viridis.
    published = [[int(code[n : n + 2], 16) for n in (1, 3, 5)] for code in plotly.colors.sequential.Viridis]
    drawn = colour_table(read_display().colour_points["viridis"], 10)
    assert len(published) == 10
    assert np.abs(drawn.astype(int) - published).max() <= 2


def test_points_are_plain_numbers_for_the_viewer() -> None:
    points = read_display().colour_points
    assert json.loads(json.dumps(points)) == points
    assert points["grey"] == [[0, 0, 0, 0], [1, 255, 255, 255]]


def test_a_table_rounds_half_up() -> None:
    # Witness: by hand. 0.5, 1.5 and 2.5 go up; to even would be 0, 2 and 2.
    points = [[0, 0.5, 1.5, 2.5], [1, 0.5, 1.5, 2.5]]
    assert colour_table(points, 2).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert colour_table([[0, 0, 10, 0], [0.5, 10, 20, 0], [1, 10, 0, 1]], 5)[:, 0].tolist() == [0, 5, 10, 10, 10]


@pytest.mark.parametrize(
    ("call", "sentence", "hint"),
    [
        ("pet_window:suv-6", "There is no PET window named 'suv-6'.", "Did you mean 'suv-"),
        ("ct_window:soft_tissue", "There is no CT window named 'soft_tissue'.", "Did you mean 'soft-tissue'?"),
        ("colour_map:Hot", "There is no colour map named 'Hot'.", "Did you mean 'hot'?"),
        (
            "colour_map:zzz",
            "There is no colour map named 'zzz'.",
            "Known: grey, grey-inverted, hot, hot-iron, pet-dicom, viridis.",
        ),
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
        (broken("[viewer]", "[viewers]"), "'viewer'"),
        (broken('pet_map = "grey-inverted"', 'pet_map = "gray"'), "There is no colour map named 'gray'"),
        (broken('fused_map = "hot"', 'fused_map = "grey"'), "There is no map for fusion named 'grey'"),
        (broken('fused_maps = ["hot",', 'fused_maps = ["hot", "jet",'), "There is no colour map named 'jet'"),
        (SHIPPED.replace("opacity = 0.5", "opacity = 1.5"), "the opacity 1.5 is not between 0 and 1"),
        (SHIPPED.replace("opacity = 0.5", "opacity = nan"), "the opacity nan is not between 0 and 1"),
        (broken("[0.0, 7.0]", "[7.0, 7.0]"), "The window 7 to 7 has no width."),
        (broken("[0.0, 7.0]", "[7.0]"), "cannot be used"),
        (broken("[0.0, 7.0]", '["a", "b"]'), "cannot be used"),
        (broken("width = 150,", "width = -150,"), "The window 165 to 15 has no width."),
        (broken("width = 150, ", ""), "'width'"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0, 0], [1.0, 255, 300, 255]]"), "0 to 255"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[1.0, 0, 0, 0], [0.0, 255, 0, 255]]"), "rising"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0], [1.0, 255, 255]]"), "cannot be used"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.1, 0, 0, 0], [1.0, 255, 0, 255]]"), "from 0 to 1"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0, 0], [0.9, 255, 0, 255]]"), "from 0 to 1"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[[0.0, 0, 0, nan], [1.0, 255, 0, 255]]"), "0 to 255"),
        (broken("[[0.0, 0, 0, 0], [1.0, 255, 255, 255]]", "[]"), "cannot be used"),
        ('pet_windows = {default="a", presets=[]}\nct_windows = 1\nviewer = 1\nmodel_picture = 1', "cannot be used"),
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
