"""How dates, times and numbers are written, in both languages: the one place that knows."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass

from pet2rep_core.records import Language

NONE = "–"
"""What stands where there is nothing."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one language.

    Parameters
    ----------
    timezone : str or None
        IANA name of the zone in which times are told, such as ``Asia/Shanghai``; UTC where it is left out or unknown.
    """

    language: Language
    timezone: str | None = None

    def date(self, at: str | datetime.datetime) -> str:
        """Return a date: ``2026年3月5日``, ``5 Mar 2026``.

        Parameters
        ----------
        at : str or datetime
            ISO 8601 as the store keeps it, or a time with its zone; empty gives a dash.
        """
        local = self._local(at)
        if local is None:
            return NONE
        if self.language is Language.CHINESE:
            return f"{local.year}年{local.month}月{local.day}日"
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"

    def moment(self, at: str | datetime.datetime) -> str:
        """Return a date with its time to the minute, in the 24 hours of a department: ``5 Mar 2026, 14:07``."""
        local = self._local(at)
        if local is None:
            return NONE
        between = " " if self.language is Language.CHINESE else ", "
        return f"{self.date(at)}{between}{local:%H:%M}"

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a number: thousands grouped by commas, as both languages do, with a true minus sign."""
        if value is None:
            return NONE
        return f"{value:,.{digits}f}".replace("-", _MINUS)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Return a share of one as a percentage: ``83%`` in both languages."""
        return NONE if share is None else f"{self.number(100 * share, digits)}%"

    def span(self, seconds: float) -> str:
        """Return how long something takes, in the largest unit that is not a fraction: ``3 min``, ``2 小时``."""
        chinese = self.language is Language.CHINESE
        for size, english, word in ((86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分钟")):
            if seconds >= size:
                return f"{self.number(seconds / size)} {word if chinese else english}"
        return f"{self.number(seconds)} {'秒' if chinese else 's'}"

    def listed(self, parts: Iterable[str]) -> str:
        """Return names one after the other: ``脑、肝``, ``brain, liver``."""
        return ("、" if self.language is Language.CHINESE else ", ").join(parts)

    def labelled(self, name: str, value: str) -> str:
        """Return a name and what it is: ``状态：可用``, ``Status: available``."""
        return f"{name}{'：' if self.language is Language.CHINESE else ': '}{value}"

    def table(self, at: str) -> str:
        """Return a time for a column that is sorted as text: ``2026-03-05 14:07``, in either language."""
        local = self._local(at)
        return "" if local is None else f"{local:%Y-%m-%d %H:%M}"

    def _local(self, at: str | datetime.datetime) -> datetime.datetime | None:
        if not at:
            return None
        when = datetime.datetime.fromisoformat(at) if isinstance(at, str) else at
        return when.astimezone(_zone(self.timezone))


def _zone(name: str | None) -> datetime.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name) if name else datetime.UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # the browser's word, which may be anything
        return datetime.UTC
