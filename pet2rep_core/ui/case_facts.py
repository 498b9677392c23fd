"""What a page must find out once per case before it can draw it: found ahead for the case that comes next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.view_case import describe_case

_KEPT = 128


class CaseFacts:
    """Finds facts of cases with volumes in the background and keeps the newest."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="case-facts")
        self._kept: OrderedDict[tuple[str, str], Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def described(self, case: OpenCase) -> dict[str, Any]:
        """Return the description for the viewer, waiting where it is not found yet."""
        described: dict[str, Any] = self._begin("described", case, lambda: describe_case(case)).result()
        return described

    def landmarks(self, case: OpenCase) -> CaseLandmarks | None:
        """Return the levels of the body, for the words of reports, waiting where they are not found yet."""
        images = _images(case)
        landmarks: CaseLandmarks | None = self._begin("landmarks", case, lambda: read_landmarks(images)).result()
        return landmarks

    def look_ahead(self, case: OpenCase) -> None:
        """Begin to find both."""
        images = _images(case)
        self._begin("described", case, lambda: describe_case(case))
        self._begin("landmarks", case, lambda: read_landmarks(images))

    def soon(self, work: Callable[[], object]) -> None:
        """Do something in the background that would otherwise be waited for later."""
        self._workers.submit(work)

    def close(self) -> None:
        """Stop; what is being found is not waited for."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _begin(self, fact: str, case: OpenCase, find: Callable[[], Any]) -> Future[Any]:
        key = (fact, _images(case).key)
        with self._lock:
            known = self._kept.pop(key, None)
            if known is None or (known.done() and known.exception() is not None):
                known = self._workers.submit(find)
            self._kept[key] = known
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return known


def _images(case: OpenCase) -> PreparedCase:
    assert case.images is not None  # callers ask for cases with volumes only
    return case.images
