"""One error tree for the whole project.

::

    Pet2RepError(.hint)
    ├── SettingsError
    ├── InputDataError(ValueError)
    │   ├── ImageReadError         the file is damaged, truncated or not an image
    │   ├── ImageGeometryError     grids, orientation or spacing cannot be trusted
    │   ├── MissingTagError        a DICOM attribute that the result needs is absent or impossible
    │   ├── ReportParseError       a report that cannot be read as text
    │   └── DatasetLayoutError     a folder, table or manifest that does not follow its layout
    ├── UnknownNameError(LookupError)
    ├── MissingDependencyError(ImportError)
    ├── GenerationError
    │   ├── ModelUnavailableError
    │   ├── ProviderRefusedError
    │   ├── ProviderBusyError      the same request may succeed later
    │   ├── CancelledError         a person stopped it
    │   └── UnusableOutputError
    ├── PermissionDeniedError
    └── StoreError
        ├── StoreLockedError
        ├── SchemaVersionError
        └── StaleRatingError

The message says what was wrong and the value; ``hint`` says what to do next. Foreign errors are
wrapped where they enter (``raise … from error``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Pet2RepError(Exception):
    """Anything this program refuses with one sentence, and what to do next in ``hint``."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message and the hint as one readable line."""
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        """Keep message and hint when an error crosses a process (joblib, Dask)."""
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[Pet2RepError], message: str, hint: str) -> Pet2RepError:
    error = kind.__new__(kind)
    Pet2RepError.__init__(error, message, hint=hint)
    return error


class SettingsError(Pet2RepError):
    """A setting that cannot be used."""


class InputDataError(Pet2RepError, ValueError):
    """A file of the user's that cannot be used as it is."""


class ImageReadError(InputDataError):
    """The file is damaged, truncated or not an image."""


class ImageGeometryError(InputDataError):
    """Grid, orientation or spacing cannot be trusted."""


class MissingTagError(InputDataError):
    """An attribute that the result needs is absent or impossible."""


class ReportParseError(InputDataError):
    """A report that cannot be read as text."""


class DatasetLayoutError(InputDataError):
    """A folder, table or manifest that does not follow its layout."""


class UnknownNameError(Pet2RepError, LookupError):
    """A name that is not in its table; the message offers the nearest known one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        if near:
            hint = f"Did you mean {near[0]!r}?"
        elif names:
            hint = f"Known: {', '.join(names)}."
        else:
            hint = "There is none yet."
        super().__init__(f"There is no {kind} named {name!r}.", hint=hint)


class MissingDependencyError(Pet2RepError, ImportError):
    """A feature whose optional library is not installed."""

    def __init__(self, feature: str, command: str) -> None:
        super().__init__(f"{feature} needs a library that is not installed.", hint=f"Install it with: {command}")


class GenerationError(Pet2RepError):
    """A report that could not be generated."""


class ModelUnavailableError(GenerationError):
    """Weights, key or server of a model are not there."""


class ProviderRefusedError(GenerationError):
    """The provider answered, and declined; ``for_all`` where it would decline every request of this model alike."""

    for_all = False

    def __init__(self, message: str, *, hint: str = "", for_all: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.for_all = for_all


class ProviderBusyError(GenerationError):
    """The provider cannot answer now; ``retry_after_s`` is what it asked for, None where it did not say."""

    retry_after_s: float | None = None

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class CancelledError(GenerationError):
    """A person stopped it."""


class UnusableOutputError(GenerationError):
    """The model answered with something that is no report."""


class PermissionDeniedError(Pet2RepError):
    """A person asked for something that their role does not allow."""


class StoreError(Pet2RepError):
    """The store could not do what was asked; nothing was half-written."""


class StoreLockedError(StoreError):
    """Another process owns the database file."""


class SchemaVersionError(StoreError):
    """The database belongs to another version of this program."""


class StaleRatingError(StoreError):
    """The screen showed an older revision than the one that is stored."""
