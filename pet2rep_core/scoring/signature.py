"""Signatures: one line that says how a number was made."""

from __future__ import annotations

from pet2rep_core.errors import SettingsError


def signature(metric: str, *, version: int, **parts: str) -> str:
    """Return a signature such as ``rougeL|agg:case|lang:zh|tok:jieba-0.42.1|v:1``.

    Keys are sorted and the version stands last. Two numbers may be compared only where their signatures
    are the same.

    Raises
    ------
    SettingsError
        If a name or a value holds one of the separators ``|`` and ``:``, or is empty.
    """
    for word in (metric, *parts, *parts.values()):
        if not word or "|" in word or ":" in word:
            raise SettingsError(
                f"{word!r} cannot stand in a signature.", hint="Use words without '|' and ':' in a metric's parts."
            )
    return "|".join([metric, *(f"{key}:{parts[key]}" for key in sorted(parts)), f"v:{version}"])
