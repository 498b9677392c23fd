"""Factors that turn stored PET values into SUV, from attributes that are already parsed to numbers.

Every result is either a factor with the name of the rule that gave it, or one sentence why there is none.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pet2rep_core.errors import MissingTagError
from pet2rep_core.imaging import body_size
from pet2rep_core.imaging.suv_time import (
    Moment,
    PetFrame,
    ReferenceTime,
    average_count_time_s,
    decay_seconds,
    earliest_acquisition,
    seconds_after,
    start_time,
)
from pet2rep_core.records import SuvFactors

_NAC_UNITS = frozenset({"PROPCNTS", "PROPCPS"})
_NAC_WORDS = re.compile(
    r"(?<![A-Z])(?:NAC|NO[ _-]?AC|NON[ _-]?AC|NOATT\w*|UNCORRECTED|NON[ _-]?ATTENUATION\w*)(?![A-Z])"
)
_NO_METHOD = frozenset({"NONE", "NO", "OFF", "NOT CORRECTED"})
_LARGEST_MBQ = 1e5
_SMALLEST_ADULT_MBQ = 15.0
_ADULT_KG = 30.0
_LARGEST_KG = 350.0
_CLOCKS_AGREE_S = 60.0


@dataclass(frozen=True, slots=True)
class PetAttributes:
    """What a PET series says about its values; None where an attribute is absent or is no number.

    Parameters
    ----------
    units, suv_type, decay_correction, manufacturer, description : str
        As the file has them, without padding; empty where absent.
    corrected_image : tuple of str
        CorrectedImage (0028,0051); empty where absent.
    dose : float or None
        RadionuclideTotalDose as stored: Bq, or MBq where a site entered it so.
    injection_time, injection_datetime : Moment or None
        RadiopharmaceuticalStartTime (0018,1072) and RadiopharmaceuticalStartDateTime (0018,1078).
    injections : int
        How many different items RadiopharmaceuticalInformationSequence (0054,0016) has.
    series : Moment or None
        SeriesDate and SeriesTime.
    frames : tuple of PetFrame
        One for each slice, in the order of the slices.
    ge_scan, ge_injection : Moment or None
        GE (0009,100D) and (0009,103B).
    siemens_decay : Moment or None
        Siemens (0071,1022), to which the vendor says it corrected the images.
    philips_suv, philips_activity : tuple of float
        Different values of Philips (7053,1000) and (7053,1009) in the series.
    rescaled : bool
        Whether every slice has a RescaleSlope (0028,1053) that can be used.
    """

    units: str = ""
    suv_type: str = ""
    corrected_image: tuple[str, ...] = ()
    attenuation_correction_method: str = ""
    decay_correction: str = ""
    manufacturer: str = ""
    description: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    sex: str = ""
    dose: float | None = None
    half_life_s: float | None = None
    injection_time: Moment | None = None
    injection_datetime: Moment | None = None
    injections: int = 1
    series: Moment | None = None
    frames: tuple[PetFrame, ...] = ()
    ge_scan: Moment | None = None
    ge_injection: Moment | None = None
    siemens_decay: Moment | None = None
    philips_suv: tuple[float, ...] = ()
    philips_activity: tuple[float, ...] = ()
    rescaled: bool = True


@dataclass(frozen=True, slots=True)
class _BodyWeightFactor:
    value: float
    rule: str
    warnings: tuple[str, ...] = ()


def suv_factors(attributes: PetAttributes) -> SuvFactors:
    """Return the factors from stored unit to SUV, or the reason why there are none.

    For DecayCorrection NONE the factor belongs to the slice that was acquired first; the others differ from
    it by :func:`slice_decay_scales`. Lean body mass is James' (``LBMJAMES128``), body surface Du Bois', ideal
    body weight Sugawara's; each is None where weight, height or sex is missing.

    References
    ----------
    DICOM PS3.3 C.8.9.1; QIBA vendor-neutral SUV pseudo-code; IBSI SUV computation manual.
    """
    try:
        _require_correction(attributes)
        factor = _body_weight_factor(attributes)
    except MissingTagError as error:
        return SuvFactors(reason=error.message)
    warnings = [*_doubts(attributes), *factor.warnings]
    weight, weight_notes = _weight_kg(attributes)
    height, height_notes = _height_cm(attributes)
    warnings += [note for note in (*weight_notes, *height_notes) if note not in warnings]
    if weight is None or height is None:
        return SuvFactors(bw=factor.value, time_rule=factor.rule, warnings=tuple(warnings))
    sex = attributes.sex
    if sex == "O":
        warnings.append("PatientSex (0010,0040) is O, so SUL and SUVibw are means of the male and female formula.")
    lean = body_size.lean_body_mass_james_kg(weight_kg=weight, height_cm=height, sex=sex)
    ideal = body_size.ideal_body_weight_kg(height_cm=height, sex=sex)
    surface = body_size.body_surface_area_cm2(weight_kg=weight, height_cm=height)
    return SuvFactors(
        bw=factor.value,
        lbm=_scaled(factor.value, lean, weight),
        bsa=factor.value * surface / (weight * 1000),
        ibw=_scaled(factor.value, ideal, weight),
        time_rule=factor.rule,
        warnings=tuple(warnings),
    )


def not_attenuation_corrected(attributes: PetAttributes) -> str | None:
    """Return one sentence why a series counts as not attenuation-corrected, or None.

    GE lists ATTN in CorrectedImage of its uncorrected series too; they give themselves away by an absent
    AttenuationCorrectionMethod together with proportional counts or a name such as ``PET NAC``.
    """
    method = attributes.attenuation_correction_method
    corrected = attributes.corrected_image
    if corrected and "ATTN" not in corrected:
        return "The PET is not attenuation-corrected: CorrectedImage (0028,0051) lacks ATTN."
    if method.upper() in _NO_METHOD:
        return f"The PET is not attenuation-corrected: AttenuationCorrectionMethod (0054,1101) is {method!r}."
    if method:
        return None
    if attributes.units in _NAC_UNITS:
        return (
            "The PET is not attenuation-corrected: AttenuationCorrectionMethod (0054,1101) is absent and "
            f"Units (0054,1001) is {attributes.units}."
        )
    if _NAC_WORDS.search(attributes.description.upper()):
        return (
            "The PET is not attenuation-corrected: AttenuationCorrectionMethod (0054,1101) is absent and "
            "SeriesDescription (0008,103E) says so."
        )
    return None


def slice_decay_scales(attributes: PetAttributes) -> tuple[float, ...] | None:
    """Return what each slice must be multiplied with so that one factor fits all, or None if nothing.

    Only series with DecayCorrection NONE need it: their beds decayed while others were scanned. The slice
    that was acquired first has 1.
    """
    if suv_factors(attributes).time_rule != "none-corrected" or len(attributes.frames) < 2:
        return None
    half_life = _half_life_s(attributes)
    first = earliest_acquisition(attributes.frames)
    reference = _decayed_until_mid_frame(_frame_at(attributes.frames, first), half_life)
    scales = []
    for frame in attributes.frames:
        if frame.acquisition is None or first is None:
            return None
        wait = seconds_after(first, frame.acquisition)
        scales.append(_decayed_until_mid_frame(frame, half_life) * 2 ** (wait / half_life) / reference)
    return tuple(scales) if max(scales) - min(scales) > 1e-9 else None


def _require_correction(attributes: PetAttributes) -> None:
    refusal = not_attenuation_corrected(attributes)
    if refusal is not None:
        raise MissingTagError(refusal)
    if not attributes.rescaled:
        raise MissingTagError("RescaleSlope (0028,1053) is absent, zero or not a number.")


def _doubts(attributes: PetAttributes) -> list[str]:
    doubts = []
    if not attributes.corrected_image and not attributes.attenuation_correction_method:
        doubts.append("CorrectedImage (0028,0051) is absent: the file does not say that it is attenuation-corrected.")
    if attributes.attenuation_correction_method and _NAC_WORDS.search(attributes.description.upper()):
        doubts.append(
            "The series is named as if it were not attenuation-corrected, but AttenuationCorrectionMethod is there."
        )
    return doubts


def _body_weight_factor(attributes: PetAttributes) -> _BodyWeightFactor:
    units = attributes.units
    if units in {"GML", "CM2ML"}:
        return _from_suv_units(attributes)
    if units == "CNTS":
        return _from_philips_counts(attributes)
    if units == "BQML":
        return _from_activity(attributes)
    if not units:
        raise MissingTagError("Units (0054,1001) is absent.")
    raise MissingTagError(f"Units (0054,1001) is {units}, which no rule turns into SUV.")


def _from_suv_units(attributes: PetAttributes) -> _BodyWeightFactor:
    kind = attributes.suv_type or ("BW" if attributes.units == "GML" else "BSA")
    if (kind == "BSA") != (attributes.units == "CM2ML"):
        raise MissingTagError(f"SUVType (0054,1006) {kind} does not go with Units (0054,1001) {attributes.units}.")
    if kind == "BW":
        return _BodyWeightFactor(1.0, "already-suv")
    weight, notes = _weight_kg(attributes)
    height, height_notes = _height_cm(attributes)
    if weight is None:
        raise MissingTagError(_missing("PatientWeight (0010,1030)", attributes.weight_kg))
    if kind == "BSA":
        if height is None:
            raise MissingTagError(_missing("PatientSize (0010,1020)", attributes.height_m))
        surface = body_size.body_surface_area_cm2(weight_kg=weight, height_cm=height)
        return _BodyWeightFactor(weight * 1000 / surface, "already-suv", notes + height_notes)
    if height is None:
        raise MissingTagError(_missing("PatientSize (0010,1020)", attributes.height_m))
    sex = attributes.sex
    match kind:
        case "LBM":
            size = body_size.lean_body_mass_morgan_kg(weight_kg=weight, height_cm=height, sex=sex)
        case "LBMJAMES128":
            size = body_size.lean_body_mass_james_kg(weight_kg=weight, height_cm=height, sex=sex)
        case "LBMJANMA":
            size = body_size.lean_body_mass_janma_kg(weight_kg=weight, height_cm=height, sex=sex)
        case "IBW":
            size = body_size.ideal_body_weight_kg(height_cm=height, sex=sex)
        case _:
            raise MissingTagError(f"SUVType (0054,1006) is {kind}, which is not known.")
    if size is None:
        raise MissingTagError(f"PatientSex (0010,0040) is {sex!r}, which SUVType {kind} cannot use.")
    if size <= 0:
        raise MissingTagError("PatientSize (0010,1020) and PatientWeight (0010,1030) give no possible body mass.")
    return _BodyWeightFactor(weight / size, "already-suv", notes + height_notes)


def _from_philips_counts(attributes: PetAttributes) -> _BodyWeightFactor:
    suv = _one_value(attributes.philips_suv, "Philips (7053,1000)")
    if suv:
        return _BodyWeightFactor(suv, "philips-suv-factor")
    activity = _one_value(attributes.philips_activity, "Philips (7053,1009)")
    if not activity:
        raise MissingTagError(
            "Units (0054,1001) is CNTS and neither Philips factor, (7053,1000) nor (7053,1009), has a usable value."
        )
    factor = _from_activity(attributes)
    return _BodyWeightFactor(factor.value * activity, factor.rule, factor.warnings)


def _one_value(values: tuple[float, ...], name: str) -> float | None:
    if not values:
        return None
    if max(values) - min(values) > 1e-6 * max(abs(value) for value in values):
        raise MissingTagError(f"{name} differs between the slices of the series.")
    value = values[0]
    if not math.isfinite(value) or value < 0:
        raise MissingTagError(f"{name} is {value:g}, which cannot be used.")
    return value


def _from_activity(attributes: PetAttributes) -> _BodyWeightFactor:
    weight, weight_notes = _weight_kg(attributes)
    if weight is None:
        raise MissingTagError(_missing("PatientWeight (0010,1030)", attributes.weight_kg))
    dose_bq, dose_notes = _dose_bq(attributes, weight)
    factor = weight * 1000 / dose_bq
    notes = weight_notes + dose_notes
    correction = attributes.decay_correction
    if not correction and "DECY" in attributes.corrected_image:
        correction = "START"
        notes += ("DecayCorrection (0054,1102) is absent and was taken as START, because CorrectedImage has DECY.",)
    if correction == "ADMIN":
        return _BodyWeightFactor(factor, "admin", notes)
    if correction == "NONE":
        return _without_decay_correction(attributes, factor, notes)
    if correction != "START":
        raise MissingTagError(
            f"DecayCorrection (0054,1102) is {correction!r}."
            if correction
            else "DecayCorrection (0054,1102) is absent."
        )
    if attributes.corrected_image and "DECY" not in attributes.corrected_image:
        notes += ("DecayCorrection (0054,1102) is START, but CorrectedImage (0028,0051) lacks DECY.",)
    half_life = _half_life_s(attributes)
    if attributes.ge_scan is not None and _is_ge(attributes):
        reference = ReferenceTime(attributes.ge_scan.without_day(), "ge-scan-datetime")
        injection, injection_notes = _ge_injection(attributes)
    else:
        reference = start_time(attributes.series, attributes.frames, half_life_s=half_life)
        injection, injection_notes = _injection(attributes)
    seconds, time_notes = decay_seconds(injection, reference.moment, half_life_s=half_life)
    notes += (*reference.warnings, *injection_notes, *time_notes, *_siemens_disagrees(attributes, reference))
    return _BodyWeightFactor(factor * 2 ** (seconds / half_life), reference.rule, notes)


def _without_decay_correction(attributes: PetAttributes, factor: float, notes: tuple[str, ...]) -> _BodyWeightFactor:
    half_life = _half_life_s(attributes)
    first = earliest_acquisition(attributes.frames)
    if first is None:
        raise MissingTagError("DecayCorrection (0054,1102) is NONE and AcquisitionTime (0008,0032) is absent.")
    for frame in attributes.frames:
        if frame.acquisition is None or not frame.duration_s or frame.duration_s < 0:
            raise MissingTagError(
                "DecayCorrection (0054,1102) is NONE, and a slice has no AcquisitionTime (0008,0032) or no "
                "ActualFrameDuration (0018,1242)."
            )
    injection, injection_notes = _injection(attributes)
    seconds, time_notes = decay_seconds(injection, first, half_life_s=half_life)
    in_frame = _decayed_until_mid_frame(_frame_at(attributes.frames, first), half_life)
    value = factor * in_frame * 2 ** (seconds / half_life)
    return _BodyWeightFactor(value, "none-corrected", notes + injection_notes + time_notes)


def _frame_at(frames: tuple[PetFrame, ...], moment: Moment | None) -> PetFrame:
    return next(frame for frame in frames if frame.acquisition == moment)


def _decayed_until_mid_frame(frame: PetFrame, half_life_s: float) -> float:
    return float(2 ** (average_count_time_s(frame.duration_s or 0.0, half_life_s) / half_life_s))


def _is_ge(attributes: PetAttributes) -> bool:
    return attributes.manufacturer.upper().startswith("GE")


def _injection(attributes: PetAttributes) -> tuple[Moment, tuple[str, ...]]:
    time, stamp = attributes.injection_time, attributes.injection_datetime
    if attributes.injections > 1:
        raise MissingTagError(
            f"RadiopharmaceuticalInformationSequence (0054,0016) names {attributes.injections} different injections."
        )
    if stamp is None and time is None:
        raise MissingTagError(
            "RadiopharmaceuticalStartTime (0018,1072) and RadiopharmaceuticalStartDateTime (0018,1078) are absent."
        )
    if stamp is None or time is None:
        return (stamp or time or Moment(0.0)), ()
    if abs(seconds_after(stamp.without_day(), time)) > _CLOCKS_AGREE_S:
        return time, (
            f"RadiopharmaceuticalStartTime (0018,1072) says {time.clock()}, RadiopharmaceuticalStartDateTime "
            f"(0018,1078) says {stamp.clock()}; the first was used.",
        )
    return stamp, ()


def _ge_injection(attributes: PetAttributes) -> tuple[Moment, tuple[str, ...]]:
    private = attributes.ge_injection
    if private is None:
        injection, notes = _injection(attributes)
        return injection.without_day(), notes
    public = attributes.injection_time or attributes.injection_datetime
    if public is not None and abs(seconds_after(public.without_day(), private.without_day())) > _CLOCKS_AGREE_S:
        return private.without_day(), (
            f"GE (0009,103B) says the injection was at {private.clock()}, the public attribute says "
            f"{public.clock()}; the first was used.",
        )
    return private.without_day(), ()


def _siemens_disagrees(attributes: PetAttributes, reference: ReferenceTime) -> tuple[str, ...]:
    stated = attributes.siemens_decay
    if stated is None or abs(seconds_after(stated.without_day(), reference.moment.without_day())) <= 1.0:
        return ()
    return (f"Siemens (0071,1022) says the images were corrected to {stated.clock()}, not {reference.moment.clock()}.",)


def _weight_kg(attributes: PetAttributes) -> tuple[float | None, tuple[str, ...]]:
    weight = attributes.weight_kg
    if weight is None or not math.isfinite(weight) or weight <= 0:
        return None, ()
    if weight > 1000:
        return weight / 1000, (f"PatientWeight (0010,1030) is {weight:g} and was taken as grams.",)
    height = attributes.height_m
    if weight > _LARGEST_KG or (weight < 3 and height is not None and height > 3):
        raise MissingTagError(f"PatientWeight (0010,1030) is {weight:g} kg, which is not plausible.")
    return weight, ()


def _height_cm(attributes: PetAttributes) -> tuple[float | None, tuple[str, ...]]:
    height = attributes.height_m
    if height is None or not math.isfinite(height) or height <= 0:
        return None, ()
    if height <= 2.6:
        return height * 100, ()
    if 26 <= height <= 260:
        return height, (f"PatientSize (0010,1020) is {height:g} and was taken as centimetres.",)
    return None, (f"PatientSize (0010,1020) is {height:g} m, which is not plausible.",)


def _dose_bq(attributes: PetAttributes, weight_kg: float) -> tuple[float, tuple[str, ...]]:
    dose = attributes.dose
    name = "RadionuclideTotalDose (0018,1074)"
    if dose is None or not math.isfinite(dose) or dose <= 0:
        raise MissingTagError(_missing(name, dose))
    if dose < _LARGEST_MBQ:
        if (dose < _SMALLEST_ADULT_MBQ and weight_kg > _ADULT_KG) or dose > 20_000:
            raise MissingTagError(f"{name} is {dose:g}, which is a plausible dose neither in Bq nor in MBq.")
        return dose * 1e6, (f"{name} is {dose:g} and was taken as MBq.",)
    if (dose < 1e6 and weight_kg > _ADULT_KG) or dose > 2e10:
        raise MissingTagError(f"{name} is {dose:g} Bq, which is not plausible.")
    return dose, ()


def _half_life_s(attributes: PetAttributes) -> float:
    half_life = attributes.half_life_s
    name = "RadionuclideHalfLife (0018,1075)"
    if half_life is None or not math.isfinite(half_life) or half_life <= 0:
        raise MissingTagError(_missing(name, half_life))
    if 105 <= half_life <= 115:
        raise MissingTagError(f"{name} is {half_life:g} s; it looks like the minutes of F-18.")
    return half_life


def _missing(name: str, value: float | None) -> str:
    return f"{name} is absent." if value is None else f"{name} is {value:g}, which cannot be used."


def _scaled(factor: float, size: float | None, weight_kg: float) -> float | None:
    return None if size is None or size <= 0 else factor * size / weight_kg
