"""How an answer ended, told from its text and from what the route says about its end."""

from __future__ import annotations

from dataclasses import dataclass

from pet2rep_core.errors import UnusableOutputError
from pet2rep_core.records import GenerationStatus
from pet2rep_core.vlm.request import Answer

_LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded", "MAX_TOKENS"})
_REFUSED = frozenset({"content_filter", "refusal", "safety", "SAFETY", "PROHIBITED_CONTENT", "sensitive"})
_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text without the thinking that stood before it. ``unfinished`` tells that the thinking never ended."""

    text: str
    thinking: str
    unfinished: bool


def split_thinking(text: str) -> Spoken:
    """Part the thinking that a server without a reasoning parser leaves at the start of the text.

    Examples
    --------
    >>> split_thinking("<think>a</think>b").text
    'b'
    """
    body = text.lstrip()
    if not body.startswith(_OPEN):
        return Spoken(text, "", False)
    thinking, closed, rest = body[len(_OPEN) :].partition(_CLOSE)
    return Spoken(rest.lstrip() if closed else "", thinking, not closed)


def status_of_answer(text: str, finish_reason: str) -> GenerationStatus:
    """Return how an answer ended: a refusal comes before a cut, and no text is EMPTY whatever ended it."""
    if finish_reason in _REFUSED:
        return GenerationStatus.REFUSED
    if not text.strip():
        return GenerationStatus.EMPTY
    return GenerationStatus.CUT if finish_reason in _LENGTH else GenerationStatus.DONE


def reason_of_answer(answer: Answer) -> str:
    """Return in one sentence why an answer is no finished report; empty for one that is."""
    problem = _problem(answer)
    return "" if problem is None else problem.message


def _problem(answer: Answer) -> UnusableOutputError | None:
    ended = answer.finish_reason or "no reason given"
    if answer.status is GenerationStatus.EMPTY:
        thought = answer.usage.reasoning_tokens
        if answer.finish_reason in _LENGTH and thought:
            return UnusableOutputError(
                f"The model used {thought} tokens for thinking and then had none left for a report."
            )
        if answer.finish_reason in _LENGTH:
            return UnusableOutputError("The length limit ended the answer before it had any text.")
        return UnusableOutputError(f"The model answered without a text ({ended}).")
    if answer.status is GenerationStatus.CUT:
        return UnusableOutputError(f"The length limit ended the text ({ended}).")
    if answer.status is GenerationStatus.REFUSED:
        return UnusableOutputError(f"The model or its filter declined ({ended}).")
    return None
