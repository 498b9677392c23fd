"""Dates, times and numbers in both languages, with fixed text expected."""

from __future__ import annotations

import datetime

import pytest

from pet2rep_core.records import Language
from pet2rep_core.ui.formats import Formats

ZH, EN = Formats(Language.CHINESE), Formats(Language.ENGLISH)
AT = "2026-03-05T14:07:59.123456+00:00"


def test_dates_and_times() -> None:
    assert (ZH.date(AT), EN.date(AT)) == ("2026年3月5日", "5 Mar 2026")
    assert (ZH.moment(AT), EN.moment(AT)) == ("2026年3月5日 14:07", "5 Mar 2026, 14:07")
    assert (ZH.table(AT), EN.table(AT)) == ("2026-03-05 14:07",) * 2


def test_times_are_told_in_the_zone_of_the_browser() -> None:
    late = "2026-12-31T20:30:00+00:00"
    assert Formats(Language.CHINESE, "Asia/Shanghai").moment(late) == "2027年1月1日 04:30"
    assert Formats(Language.ENGLISH, "America/New_York").moment(late) == "31 Dec 2026, 15:30"


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../../etc/passwd", "", "\x00"])
def test_an_unknown_zone_is_utc(zone: str) -> None:
    assert Formats(Language.ENGLISH, zone).moment(AT) == EN.moment(AT)


def test_a_time_of_python_is_told_as_well() -> None:
    assert EN.date(datetime.datetime(2026, 3, 5, 23, 59, tzinfo=datetime.UTC)) == "5 Mar 2026"


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [(0, 0, "0"), (1234567, 0, "1,234,567"), (-0.5, 2, "−0.50"), (3.14159, 3, "3.142"), (None, 2, "–")],
)
def test_numbers(value: float | None, digits: int, said: str) -> None:
    assert (ZH.number(value, digits), EN.number(value, digits)) == (said, said)


def test_shares_and_spans() -> None:
    assert (EN.percent(0.834), ZH.percent(0.8345, 1), EN.percent(None)) == ("83%", "83.5%", "–")
    assert [EN.span(s) for s in (5, 90, 7200, 172800)] == ["5 s", "2 min", "2 h", "2 d"]
    assert [ZH.span(s) for s in (5, 90, 7200, 172800)] == ["5 秒", "2 分钟", "2 小时", "2 天"]


def test_nothing_is_a_dash() -> None:
    assert (EN.moment(""), ZH.date(""), EN.table("")) == ("–", "–", "")
