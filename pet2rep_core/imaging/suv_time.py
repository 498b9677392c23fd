"""When the decay clock of a PET series starts and stops.

The time to which a scanner corrected its images is not one attribute: vendors and post-processing fill
different ones. The rules here are tried in a fixed order, and the one that was used is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from pet2rep_core.errors import MissingTagError

DAY_S = 86400.0
_SAME_TIME_S = 1.0
"""Vendors round or cut fractions of a second differently in two attributes of one moment."""
_EARLY_START_S = 600.0
"""A dynamic scan may start before the injection, by minutes at most."""
_LATE_ACQUISITION_S = 90 * 60.0
_LONGEST_WAIT_S = 12 * 3600.0
_LONG_LIVED_S = 6 * 3600.0
_MOST_HALF_LIVES = 10.0
_MANY_HALF_LIVES = 5.0
_FRAME_SPREAD_S = 30.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day in seconds, and the day (proleptic ordinal) where the file names one."""

    second: float
    day: int | None = None

    def without_day(self) -> Moment:
        """Return the time of day alone."""
        return Moment(self.second)

    def shifted(self, seconds: float) -> Moment:
        """Return the moment that many seconds later, across midnight if need be."""
        days, second = divmod(self.second + seconds, DAY_S)
        return Moment(second, None if self.day is None else self.day + int(days))

    def clock(self) -> str:
        """Return the time of day as HH:MM:SS."""
        whole = int(self.second)
        return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@dataclass(frozen=True, slots=True)
class PetFrame:
    """Timing of one PET slice: when it was acquired, for how long, and its reference time.

    ``frame_reference_s`` is FrameReferenceTime and ``duration_s`` ActualFrameDuration, both in seconds.
    """

    acquisition: Moment | None = None
    frame_reference_s: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """The moment to which a series was decay-corrected, the rule that found it, and its caveats."""

    moment: Moment
    rule: str
    warnings: tuple[str, ...] = ()


def seconds_after(start: Moment, end: Moment) -> float:
    """Return the signed seconds from start to end, within half a day where dates are absent or far apart."""
    if start.day is not None and end.day is not None and abs(end.day - start.day) <= 1:
        return (end.day - start.day) * DAY_S + end.second - start.second
    return (end.second - start.second + DAY_S / 2) % DAY_S - DAY_S / 2


def earliest_acquisition(frames: tuple[PetFrame, ...]) -> Moment | None:
    """Return the first acquisition of a series, across midnight."""
    moments = [frame.acquisition for frame in frames if frame.acquisition is not None]
    if not moments:
        return None
    return min(moments, key=lambda moment: seconds_after(moments[0], moment))


def average_count_time_s(duration_s: float, half_life_s: float) -> float:
    """Return when, after its start, a frame's mean count rate occurs: ln(x / (1 - exp(-x))) / lambda, x = lambda T.

    References
    ----------
    DICOM PS3.3 C.8.9.4 (FrameReferenceTime); IBSI SUV computation manual.
    """
    decay = math.log(2) / half_life_s
    x = decay * duration_s
    return math.log(x / -math.expm1(-x)) / decay


def start_time(series: Moment | None, frames: tuple[PetFrame, ...], *, half_life_s: float) -> ReferenceTime:
    """Find the time to which a series with DecayCorrection START was corrected, without private attributes.

    In this order: the series time if no slice was acquired before it nor on quite another day; the start
    computed back from FrameReferenceTime, if the slices agree on it within 30 s; the earliest acquisition.

    Raises
    ------
    MissingTagError
        If neither series nor acquisition time is there.

    References
    ----------
    QIBA vendor-neutral SUV pseudo-code; IBSI SUV computation manual.
    """
    earliest = earliest_acquisition(frames)
    if series is not None and earliest is None:
        return ReferenceTime(
            series, "series-time", ("AcquisitionTime (0008,0032) is absent, so SeriesTime could not be checked.",)
        )
    if earliest is None:
        raise MissingTagError("SeriesTime (0008,0031) and AcquisitionTime (0008,0032) are absent.")
    why = "SeriesTime (0008,0031) is absent"
    if series is not None:
        wait = seconds_after(series, earliest)
        days = 0 if series.day is None or earliest.day is None else abs(series.day - earliest.day)
        if days > 1:
            why = f"SeriesDate (0008,0021) and AcquisitionDate (0008,0022) are {days} days apart"
        elif wait < -_SAME_TIME_S:
            why = f"SeriesTime (0008,0031) is {series.clock()}, later than the first acquisition at {earliest.clock()}"
        elif wait > _LATE_ACQUISITION_S:
            late = f"The first acquisition is {wait / 60:.0f} min after SeriesTime (0008,0031), which was used."
            return ReferenceTime(series, "series-time", (late,))
        else:
            return ReferenceTime(series, "series-time")
    computed = _from_frame_reference(frames, earliest, half_life_s)
    if computed is not None:
        return ReferenceTime(
            computed,
            "frame-reference-time",
            (f"{why}, so the scan start was computed from FrameReferenceTime (0054,1300).",),
        )
    return ReferenceTime(
        earliest,
        "earliest-acquisition-time",
        (f"{why}, and FrameReferenceTime (0054,1300) is of no use, so the first acquisition was taken as scan start.",),
    )


def _from_frame_reference(frames: tuple[PetFrame, ...], earliest: Moment, half_life_s: float) -> Moment | None:
    starts = [
        seconds_after(earliest, frame.acquisition)
        + average_count_time_s(frame.duration_s, half_life_s)
        - frame.frame_reference_s
        for frame in frames
        if frame.acquisition is not None and frame.frame_reference_s and frame.duration_s
        if frame.frame_reference_s > 0 and frame.duration_s > 0
    ]
    if not starts or max(starts) - min(starts) > _FRAME_SPREAD_S:
        return None
    return earliest.shifted(median(starts))


def decay_seconds(injection: Moment, reference: Moment, *, half_life_s: float) -> tuple[float, tuple[str, ...]]:
    """Return the seconds from injection to reference time, and what a reader should know about them.

    Dates are used where they make sense together; dates that de-identification moved apart are not, and
    then the times of day count, across midnight if need be. A start up to 10 min before the injection is
    taken as a dynamic scan.

    Raises
    ------
    MissingTagError
        If the injection lies after the scan, or so many half-lives before it that nothing could be seen.
    """
    of_day = (reference.second - injection.second) % DAY_S
    notes: list[str] = []
    seconds = of_day - DAY_S if of_day > DAY_S - _EARLY_START_S else of_day
    if reference.day is not None and injection.day is not None:
        dated = (reference.day - injection.day) * DAY_S + reference.second - injection.second
        if -_EARLY_START_S <= dated <= max(DAY_S, _MOST_HALF_LIVES * half_life_s):
            seconds = dated
        else:
            days = abs(dated) / DAY_S
            notes.append(
                f"The injection is dated {days:.1f} days after the scan, so only their times of day were used."
                if dated < 0
                else f"The dates of injection and scan are {days:.1f} days apart, so only their times of day were used."
            )
    elif half_life_s > _LONG_LIVED_S:
        notes.append("No date of injection is given, so it was taken to be within 24 h before the scan.")
    if half_life_s <= _LONG_LIVED_S and seconds > _LONGEST_WAIT_S:
        raise MissingTagError(
            f"The injection at {injection.clock()} is not before the scan at {reference.clock()} by a plausible time."
        )
    if seconds > _MOST_HALF_LIVES * half_life_s:
        raise MissingTagError(
            f"The scan at {reference.clock()} is {seconds / half_life_s:.0f} half-lives after the injection "
            f"at {injection.clock()}."
        )
    if seconds < 0:
        notes.append(f"The scan starts {-seconds:.0f} s before the injection.")
    elif seconds > _MANY_HALF_LIVES * half_life_s:
        notes.append(f"The scan starts {seconds / half_life_s:.1f} half-lives after the injection.")
    return seconds, tuple(notes)
