"""SUV factors from attributes. Expected numbers are the formulas of the IBSI manual, written out by hand."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.imaging.body_size import (
    body_surface_area_cm2,
    ideal_body_weight_kg,
    lean_body_mass_james_kg,
    lean_body_mass_janma_kg,
    lean_body_mass_morgan_kg,
)
from pet2rep_core.imaging.suv import PetAttributes, not_attenuation_corrected, slice_decay_scales, suv_factors
from pet2rep_core.imaging.suv_time import Moment, PetFrame, average_count_time_s, decay_seconds, seconds_after

DAY = 739_252
HALF_LIFE = 6586.2


def at(hour: int, minute: int = 0, second: float = 0, *, day: int | None = None) -> Moment:
    return Moment(hour * 3600 + minute * 60 + second, day)


BASE = PetAttributes(
    units="BQML",
    corrected_image=("DECY", "ATTN"),
    attenuation_correction_method="measured",
    decay_correction="START",
    manufacturer="Synthetic",
    weight_kg=70.0,
    height_m=1.75,
    sex="M",
    dose=350e6,
    half_life_s=HALF_LIFE,
    injection_time=at(10),
    series=at(11, day=DAY),
    frames=(PetFrame(at(11, day=DAY), 0.0, 120.0),),
)
ONE_HOUR = 70_000 / (350e6 * 2 ** (-3600 / HALF_LIFE))


def but(**changes: object) -> PetAttributes:
    return dataclasses.replace(BASE, **changes)  # type: ignore[arg-type]


def test_default_is_weight_over_decayed_dose() -> None:
    factors = suv_factors(BASE)
    assert factors.bw == pytest.approx(ONE_HOUR, rel=1e-12)
    assert factors.time_rule == "series-time"
    assert factors.reason is None
    assert factors.warnings == ()


@pytest.mark.parametrize(
    ("changes", "factor", "rule", "warning"),
    [
        # GE's private pair is shifted by de-identification: only its difference counts (09:59:47 - 07:21:00)
        (
            {"manufacturer": "GE MEDICAL SYSTEMS", "ge_scan": at(9, 59, 47, day=1), "ge_injection": at(7, 21, day=1)},
            70_000 / (350e6 * 2 ** (-9527 / HALF_LIFE)),
            "ge-scan-datetime",
            "GE (0009,103B) says",
        ),
        (
            {"manufacturer": "GE MEDICAL SYSTEMS", "ge_scan": at(11, 0, 0, day=1), "series": at(12, day=DAY)},
            ONE_HOUR,
            "ge-scan-datetime",
            None,
        ),
        # other vendors' (0009,100D) is not GE's
        ({"ge_scan": at(9, 0, 0, day=1)}, ONE_HOUR, "series-time", None),
        # IBSI DRO_3_2: SeriesTime 11:30 is later; 11:02:30 + mean count time of 603 s - 450 s
        (
            {"series": at(11, 30, day=DAY), "frames": (PetFrame(at(11, 2, 30, day=DAY), 450.0, 603.0),)},
            70_000
            / (350e6 * 2 ** (-(3600 + 150 + average_count_time_s(603, HALF_LIFE) - 450) / HALF_LIFE)),
            "frame-reference-time",
            "later than the first acquisition",
        ),
        (
            {"series": at(11, 30, day=DAY), "frames": (PetFrame(at(11, 0, 0, day=DAY), 0.0, 120.0),)},
            ONE_HOUR,
            "earliest-acquisition-time",
            "the first acquisition was taken",
        ),
        # frames that disagree on the start (GE with one AcquisitionTime for all beds) are of no use
        (
            {
                "series": at(11, 30, day=DAY),
                "frames": (PetFrame(at(11, day=DAY), 303.0, 300.0), PetFrame(at(11, day=DAY), 606.0, 300.0)),
            },
            ONE_HOUR,
            "earliest-acquisition-time",
            "of no use",
        ),
        # reconstructed again, days later: its time of day says nothing about the scan
        ({"series": at(9, day=DAY + 2)}, ONE_HOUR, "earliest-acquisition-time", "2 days apart"),
        ({"frames": (PetFrame(at(13, day=DAY), 0.0, 120.0),)}, ONE_HOUR, "series-time", "120 min after SeriesTime"),
        ({"frames": ()}, ONE_HOUR, "series-time", "could not be checked"),
        ({"series": None}, ONE_HOUR, "earliest-acquisition-time", "SeriesTime (0008,0031) is absent"),
        ({"decay_correction": "ADMIN"}, 70_000 / 350e6, "admin", None),
        ({"decay_correction": "ADMIN", "half_life_s": None, "injection_time": None}, 70_000 / 350e6, "admin", None),
        # IBSI manual, DecayCorrection NONE: lambda T / (1 - exp(-lambda T)) * exp(lambda (t_acq - t_adm))
        (
            {"decay_correction": "NONE", "corrected_image": ("ATTN",)},
            70_000
            / 350e6
            * (math.log(2) / HALF_LIFE * 120 / (1 - math.exp(-math.log(2) / HALF_LIFE * 120)))
            * math.exp(math.log(2) / HALF_LIFE * 3600),
            "none-corrected",
            None,
        ),
        ({"dose": 350.0}, ONE_HOUR, "series-time", "taken as MBq"),
        ({"weight_kg": 70_000.0}, ONE_HOUR, "series-time", "taken as grams"),
        # midnight: 23:30 to 00:30, with no date of injection (IBSI DRO_4_2) and with one
        (
            {
                "injection_time": at(23, 30),
                "series": at(0, 30, day=DAY),
                "frames": (PetFrame(at(0, 30, day=DAY), 0.0, 120.0),),
            },
            ONE_HOUR,
            "series-time",
            None,
        ),
        (
            {
                "injection_time": None,
                "injection_datetime": at(23, 30, day=DAY - 1),
                "series": at(0, 30, day=DAY),
                "frames": (PetFrame(at(0, 30, day=DAY), 0.0, 120.0),),
            },
            ONE_HOUR,
            "series-time",
            None,
        ),
        # de-identification moved the date of injection by years (BreastDx-01-0005)
        ({"injection_datetime": at(10, day=DAY + 790)}, ONE_HOUR, "series-time", "790.0 days"),
        ({"injection_datetime": at(9, 0, day=DAY)}, ONE_HOUR, "series-time", "the first was used"),
        # a dynamic scan that starts 41 s before the injection
        (
            {"injection_time": at(11, 0, 41)},
            70_000 / (350e6 * 2 ** (41 / HALF_LIFE)),
            "series-time",
            "41 s before the injection",
        ),
        ({"siemens_decay": at(11, 5)}, ONE_HOUR, "series-time", "Siemens (0071,1022)"),
        ({"siemens_decay": at(11)}, ONE_HOUR, "series-time", None),
        ({"corrected_image": (), "attenuation_correction_method": ""}, ONE_HOUR, "series-time", "does not say"),
        ({"decay_correction": ""}, ONE_HOUR, "series-time", "taken as START"),
        ({"corrected_image": ("ATTN",)}, ONE_HOUR, "series-time", "lacks DECY"),
        # series in SUV already
        ({"units": "GML"}, 1.0, "already-suv", None),
        ({"units": "GML", "suv_type": "BW", "dose": None, "weight_kg": None}, 1.0, "already-suv", None),
        ({"units": "GML", "suv_type": "LBMJAMES128"}, 70 / (77 - 128 * 0.16), "already-suv", None),
        ({"units": "GML", "suv_type": "LBM"}, 70 / (77 - 120 * 0.16), "already-suv", None),
        ({"units": "GML", "suv_type": "IBW"}, 70 / (48 + 1.06 * 23), "already-suv", None),
        ({"units": "GML", "suv_type": "LBMJANMA"}, (6680 + 216 * 70 / 3.0625) / 9270, "already-suv", None),
        ({"units": "CM2ML", "suv_type": "BSA"}, 70_000 / (71.84 * 70**0.425 * 175**0.725), "already-suv", None),
        ({"units": "CM2ML"}, 70_000 / (71.84 * 70**0.425 * 175**0.725), "already-suv", None),
        # Philips counts: the SUV factor first, then the activity factor; Bq/mL ignores both
        ({"units": "CNTS", "philips_suv": (0.0005,)}, 0.0005, "philips-suv-factor", None),
        ({"units": "CNTS", "philips_suv": (0.0005,), "philips_activity": (0.5,)}, 0.0005, "philips-suv-factor", None),
        ({"units": "CNTS", "philips_activity": (0.5,)}, 0.5 * ONE_HOUR, "series-time", None),
        ({"units": "CNTS", "philips_suv": (0.0,), "philips_activity": (0.5,)}, 0.5 * ONE_HOUR, "series-time", None),
        ({"philips_suv": (0.0005,), "philips_activity": (0.5,)}, ONE_HOUR, "series-time", None),
        # N-13, 598 s, ten minutes after injection; Ga-68, 4057.7 s
        (
            {"half_life_s": 598.0, "injection_time": at(10, 50)},
            70_000 / (350e6 * 2 ** (-600 / 598)),
            "series-time",
            None,
        ),
        ({"half_life_s": 4057.7}, 70_000 / (350e6 * 2 ** (-3600 / 4057.7)), "series-time", None),
    ],
)  # fmt: skip
def test_factor_and_rule(changes: dict[str, object], factor: float, rule: str, warning: str | None) -> None:
    factors = suv_factors(but(**changes))
    assert factors.reason is None
    assert factors.bw == pytest.approx(factor, rel=1e-9)
    assert factors.time_rule == rule
    if warning is None:
        assert factors.warnings == ()
    else:
        assert any(warning in one for one in factors.warnings)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weight_kg": 0.0}, "PatientWeight (0010,1030) is 0, which cannot be used."),
        ({"weight_kg": None}, "PatientWeight (0010,1030) is absent."),
        ({"weight_kg": 500.0}, "PatientWeight (0010,1030) is 500 kg, which is not plausible."),
        ({"dose": None}, "RadionuclideTotalDose (0018,1074) is absent."),
        ({"dose": 0.0}, "RadionuclideTotalDose (0018,1074) is 0, which cannot be used."),
        ({"dose": 10.0}, "plausible dose neither in Bq nor in MBq"),  # 10 mCi, most likely
        ({"dose": 350e3}, "not plausible"),  # kBq, most likely
        ({"half_life_s": None}, "RadionuclideHalfLife (0018,1075) is absent."),
        ({"half_life_s": 109.77}, "minutes of F-18"),
        ({"injection_time": None}, "RadiopharmaceuticalStartTime (0018,1072) and"),
        ({"injections": 2}, "names 2 different injections"),
        ({"series": None, "frames": ()}, "SeriesTime (0008,0031) and AcquisitionTime (0008,0032) are absent."),
        ({"injection_time": at(14)}, "The injection at 14:00:00 is not before the scan at 11:00:00"),
        ({"half_life_s": 122.0}, "30 half-lives after the injection"),
        ({"units": ""}, "Units (0054,1001) is absent."),
        ({"units": "PROPCPS"}, "Units (0054,1001) is PROPCPS, which no rule turns into SUV."),
        ({"units": "CPS"}, "Units (0054,1001) is CPS"),
        ({"units": "PROPCNTS", "attenuation_correction_method": ""}, "not attenuation-corrected"),
        ({"units": "CNTS"}, "neither Philips factor"),
        ({"units": "CNTS", "philips_suv": (0.0,)}, "neither Philips factor"),
        ({"units": "CNTS", "philips_suv": (0.1, 0.2)}, "differs between the slices"),
        ({"units": "CNTS", "philips_suv": (-1.0,)}, "(7053,1000) is -1, which cannot be used."),
        ({"units": "GML", "suv_type": "BSA"}, "does not go with Units"),
        ({"units": "GML", "suv_type": "XYZ"}, "SUVType (0054,1006) is XYZ"),
        ({"units": "GML", "suv_type": "IBW", "height_m": 0.0}, "PatientSize (0010,1020) is 0, which cannot be used."),
        ({"units": "GML", "suv_type": "IBW", "sex": ""}, "PatientSex (0010,0040) is ''"),
        ({"units": "CM2ML", "height_m": None}, "PatientSize (0010,1020) is absent."),
        ({"decay_correction": "", "corrected_image": ("ATTN",)}, "DecayCorrection (0054,1102) is absent."),
        ({"decay_correction": "WRONG"}, "DecayCorrection (0054,1102) is 'WRONG'."),
        ({"decay_correction": "NONE", "frames": (PetFrame(at(11), 0.0, None),)}, "ActualFrameDuration (0018,1242)"),
        ({"decay_correction": "NONE", "frames": ()}, "AcquisitionTime (0008,0032) is absent"),
        ({"rescaled": False}, "RescaleSlope (0028,1053)"),
        ({"corrected_image": ("DECY",)}, "CorrectedImage (0028,0051) lacks ATTN."),
    ],
)
def test_refusal_names_the_attribute(changes: dict[str, object], reason: str) -> None:
    factors = suv_factors(but(**changes))
    assert factors.bw is None
    assert factors.lbm is factors.bsa is factors.ibw is factors.time_rule is None
    assert factors.reason is not None
    assert reason in factors.reason


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, False),
        ({"attenuation_correction_method": ""}, False),  # the IBSI objects have none and are corrected
        ({"attenuation_correction_method": "", "units": "PROPCNTS"}, True),  # GE
        ({"attenuation_correction_method": "", "description": "PET NAC"}, True),
        ({"attenuation_correction_method": "", "description": "WB_NAC_2i"}, True),
        ({"attenuation_correction_method": "", "description": "PET uncorrected"}, True),
        ({"attenuation_correction_method": "", "description": "PANACEA WB"}, False),
        ({"attenuation_correction_method": "NONE"}, True),
        ({"description": "PET NAC"}, False),  # the method is there: doubt, no refusal
    ],
)
def test_not_attenuation_corrected(changes: dict[str, object], refused: bool) -> None:
    assert (not_attenuation_corrected(but(**changes)) is not None) is refused


def test_name_that_contradicts_the_method_is_a_warning() -> None:
    assert "named as if" in suv_factors(but(description="PET NAC")).warnings[0]


def test_body_sizes_against_the_rwv_object_of_acrin_042() -> None:
    # QIICR SUVFactorCalculator, 91 kg, 1.88 m, male: 0.00042111, 0.00032444, 0.000398713
    size = {"weight_kg": 91.0, "height_cm": 188.0}
    james = lean_body_mass_james_kg(**size, sex="M")
    assert james is not None
    assert 0.00042111 * james / 91 == pytest.approx(0.00032444, rel=2e-5)
    ideal = ideal_body_weight_kg(height_cm=188.0, sex="M")
    assert ideal is not None
    assert 0.00042111 * ideal / 91 == pytest.approx(0.000398713, rel=2e-5)
    # Its SUVbsa is 1.00711e-05 "cm2/ml", which is m2 per kBq: ten times too small for that unit
    assert 0.00042111 * body_surface_area_cm2(**size) / 91_000 == pytest.approx(10 * 1.00711e-05, rel=2e-5)


def test_other_sex_is_the_mean_of_both() -> None:
    for mass in (lean_body_mass_james_kg, lean_body_mass_morgan_kg, lean_body_mass_janma_kg):
        male, female, other = (mass(weight_kg=70, height_cm=175, sex=sex) for sex in "MFO")
        assert male is not None
        assert female is not None
        assert other == pytest.approx((male + female) / 2)
    assert ideal_body_weight_kg(height_cm=175, sex="") is None


def test_without_height_only_body_weight() -> None:
    factors = suv_factors(but(height_m=0.0))
    assert factors.bw == pytest.approx(ONE_HOUR)
    assert factors.lbm is factors.bsa is factors.ibw is None


def test_height_in_centimetres() -> None:
    factors = suv_factors(but(height_m=175.0))
    assert factors.bsa == pytest.approx(suv_factors(BASE).bsa)
    assert any("centimetres" in one for one in factors.warnings)


def test_uncorrected_beds_are_brought_to_the_first() -> None:
    frames = (PetFrame(at(11), 0.0, 120.0), PetFrame(at(11, 5), 0.0, 120.0))
    attributes = but(decay_correction="NONE", frames=frames)
    assert slice_decay_scales(attributes) == pytest.approx((1.0, 2 ** (300 / HALF_LIFE)))
    assert slice_decay_scales(but(frames=frames)) is None


def test_long_lived_tracer_uses_the_dates() -> None:
    zr89 = but(half_life_s=282_240.0, injection_time=None, injection_datetime=at(10, day=DAY - 3))
    seconds = 3 * 86400 + 3600
    assert suv_factors(zr89).bw == pytest.approx(70_000 / (350e6 * 2 ** (-seconds / 282_240)))


@given(st.floats(0, 86_399), st.floats(0, 10 * 3600))
def test_time_of_day_survives_midnight(injected: float, wait: float) -> None:
    start = Moment(injected)
    seconds, _ = decay_seconds(start, start.shifted(wait), half_life_s=HALF_LIFE)
    assert seconds == pytest.approx(wait, abs=1e-6)


@given(st.floats(0, 86_399), st.floats(-40_000, 40_000))
def test_seconds_after_is_signed(start: float, seconds: float) -> None:
    moment = Moment(start, DAY)
    assert seconds_after(moment, moment.shifted(seconds)) == pytest.approx(seconds, abs=1e-6)
    assert seconds_after(moment.without_day(), moment.shifted(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(st.floats(10, 7200), st.floats(100, 1e6))
def test_mean_count_time_lies_in_the_first_half(duration: float, half_life: float) -> None:
    assert 0 < average_count_time_s(duration, half_life) <= duration / 2 * (1 + 1e-9)
