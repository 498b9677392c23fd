"""What would go wrong with a request, found before anything is sent or computed.

Pure functions over a row of the catalog and a request; every route uses them. Where the tokenizer is at hand
(in-process) its exact count takes the place of the estimate.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from pet2rep_core.vlm.model_row import Family, ModelRow, PictureRule
from pet2rep_core.vlm.request import Finding, Options, Request, Route, Severity

_WIDE = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
_FRAME_TOKENS = 32  # role marks and line ends that a chat template puts around the texts
_FEW = 10  # names of options that a finding lists


@dataclass(frozen=True, slots=True)
class TokenEstimate:
    """Tokens of a request by the rules of its family, at least roughly; ``pictures`` None where no rule is known."""

    text: int
    pictures: int | None

    @property
    def prompt(self) -> int:
        """Tokens of the prompt, pictures counted as far as they can be."""
        return self.text + (self.pictures or 0)


@dataclass(frozen=True, slots=True)
class FittedOptions:
    """Options as a route takes them: those left out are not sent, those changed are sent with another value."""

    options: Options
    left_out: tuple[str, ...]
    changed: tuple[tuple[str, float, float], ...]


def picture_tokens(family: Family, width: int, height: int) -> int | None:
    """Return the tokens of one picture, its marks included; None where the family's rule is not known.

    Examples
    --------
    A slice of 200 x 219 pixels takes 56 tokens and two marks in Qwen2.5-VL.
    """
    if family.rule is PictureRule.UNKNOWN:
        return None
    if family.rule is PictureRule.FIXED:
        return family.tokens + family.marks
    if family.rule is PictureRule.TILES:
        columns, rows = _tiles(width, height, family.side, family.max_tiles)
        count = columns * rows
        return family.tokens * (count + (count > 1)) + family.marks
    across, down = _squares(family, width, height)
    return math.ceil(across * down * family.scale) + family.marks


def _squares(family: Family, width: int, height: int) -> tuple[int, int]:
    side = family.side
    if family.rule is PictureRule.PATCHES_UP:
        return math.ceil(width / side), math.ceil(height / side)
    across, down = max(1, round(width / side)), max(1, round(height / side))
    pixels = across * down * side * side
    if family.max_pixels and pixels > family.max_pixels:
        shrink = math.sqrt(width * height / family.max_pixels)
        return max(1, math.floor(width / shrink / side)), max(1, math.floor(height / shrink / side))
    if pixels < family.min_pixels:
        grow = math.sqrt(family.min_pixels / (width * height))
        return math.ceil(width * grow / side), math.ceil(height * grow / side)
    return across, down


def _tiles(width: int, height: int, side: int, most: int) -> tuple[int, int]:
    """Return columns and rows of the tiling whose shape is nearest to the picture's, as InternVL chooses it."""
    grids = {(c, r) for c in range(1, most + 1) for r in range(1, most + 1) if c * r <= most}
    best, nearest = (1, 1), math.inf
    for columns, rows in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width / height - columns / rows)
        larger = distance == nearest and width * height > 0.5 * side * side * columns * rows
        if distance < nearest or larger:
            best, nearest = (columns, rows), distance
    return best


def text_tokens(family: Family, text: str) -> int:
    """Return about how many tokens a text takes: Chinese and Latin characters counted by their own rates."""
    wide = len(_WIDE.findall(text))
    return math.ceil(wide * family.wide_tokens + (len(text) - wide) * family.narrow_tokens)


def without_placeholders(family: Family, text: str) -> str:
    """Return a text without the words that the family's processor would read as the place of a picture.

    The pictures themselves are parts of the message, before the text. A run of placeholders with blanks between goes as
    one, with the line that it stood alone on.
    """
    if not family.placeholders:
        return text
    one = "|".join(re.escape(word) for word in sorted(family.placeholders, key=len, reverse=True))
    run = rf"(?:{one})(?:[ \t]*(?:{one}))*"
    text = re.sub(rf"^[ \t]*{run}[ \t]*\n", "", text, flags=re.MULTILINE)
    return re.sub(run, "", text)


def placeholders_in(family: Family, *texts: str) -> tuple[str, ...]:
    """Return the family's placeholders that stand in texts, each once."""
    return tuple(word for word in family.placeholders if any(word in text for text in texts))


def estimate_tokens(row: ModelRow, request: Request) -> TokenEstimate:
    """Return about how many tokens a request takes."""
    texts = (without_placeholders(row.family, text) for text in (request.system, request.user))
    text = sum(text_tokens(row.family, one) for one in texts) + _FRAME_TOKENS
    counts = [picture_tokens(row.family, one.width, one.height) for one in request.pictures]
    known = [count for count in counts if count is not None]
    return TokenEstimate(text, sum(known) if len(known) == len(counts) else None)


def fit_options(row: ModelRow, route: Route, options: Options) -> FittedOptions:
    """Return options as a route takes them for a model; ``max_new_tokens`` always stays."""
    accepted = row.accepted(route)
    values: dict[str, float | None] = {}
    left_out: list[str] = []
    changed: list[tuple[str, float, float]] = []
    for name, value in options.sent().items():
        if name == "max_new_tokens":
            if row.max_output and route is not Route.TRANSFORMERS and value > row.max_output:
                values[name] = row.max_output
                changed.append((name, value, row.max_output))
        elif name not in accepted:
            values[name] = None
            left_out.append(name)
        elif name in row.limits and route is not Route.TRANSFORMERS:
            low, high = row.limits[name]
            bound = min(max(value, low), high)
            if bound != value:
                values[name] = bound
                changed.append((name, value, bound))
    return FittedOptions(replace(options, **values), tuple(left_out), tuple(changed))  # type: ignore[arg-type]


def check_request(row: ModelRow, route: Route, request: Request, *, prompt_tokens: int | None = None) -> list[Finding]:
    """Return every finding that needs no weights, server or key: pictures, texts, options, window.

    Parameters
    ----------
    prompt_tokens : int, optional
        The exact count, where a tokenizer gave one; estimated by the family's rules where it is left out.
    """
    return [
        *check_pictures(row, request),
        *check_placeholders(row, request),
        *check_options(row, route, request.options),
        *check_window(row, request, prompt_tokens=prompt_tokens),
    ]


def check_pictures(row: ModelRow, request: Request) -> list[Finding]:
    """Find more pictures than the model takes; they are never left out silently."""
    count = len(request.pictures)
    if row.max_images is not None and count > row.max_images:
        return [
            Finding(
                Severity.ERROR,
                f"{row.label} takes {row.max_images} pictures in a request, and this one has {count}.",
                "Choose the fused input, or another model; no picture is left out silently.",
            )
        ]
    if row.trained_images is not None and count > row.trained_images:
        return [
            Finding(
                Severity.WARNING,
                f"{row.label} has seen {row.trained_images} picture at a time in training, and this request has "
                f"{count}.",
                "It runs, as in the paper; read its reports with that in mind.",
            )
        ]
    return []


def check_placeholders(row: ModelRow, request: Request) -> list[Finding]:
    """Find words of the texts that the model would take for pictures; they are taken out."""
    found = placeholders_in(row.family, request.system, request.user)
    if not found:
        return []
    return [
        Finding(
            Severity.WARNING,
            f"The prompt has {', '.join(found)} in its text, which {row.label} would read as a picture.",
            "It is taken out of the text; the pictures themselves go before the text as always.",
        )
    ]


def check_options(row: ModelRow, route: Route, options: Options) -> list[Finding]:
    """Find options that the route does not take, or takes with another value, and too short a limit for thought."""
    fitted = fit_options(row, route, options)
    findings = []
    if fitted.left_out:
        findings.append(
            Finding(
                Severity.WARNING,
                f"{row.label} does not take {', '.join(fitted.left_out[:_FEW])}.",
                "They are not sent, and the run records that; its own defaults hold.",
            )
        )
    for name, value, bound in fitted.changed:
        findings.append(
            Finding(
                Severity.WARNING,
                f"{row.label} does not take {name} = {value:g}.",
                f"It is sent as {bound:g}, and the run records that.",
            )
        )
    if row.advised_new_tokens and options.max_new_tokens < row.advised_new_tokens:
        findings.append(
            Finding(
                Severity.WARNING,
                f"{row.label} thinks before it answers, and that may use up {options.max_new_tokens} new tokens.",
                f"Give it at least {row.advised_new_tokens}.",
            )
        )
    return findings


def check_window(
    row: ModelRow, request: Request, *, prompt_tokens: int | None = None, window: int | None = None
) -> list[Finding]:
    """Find a prompt that does not fit the model's window together with the answer.

    Parameters
    ----------
    window : int, optional
        Tokens that the weights at hand reach, where that is fewer than the row says.
    """
    known = [size for size in (row.context, window) if size is not None]
    if not known:
        return []
    context = min(known)
    estimate = estimate_tokens(row, request)
    prompt = estimate.prompt if prompt_tokens is None else prompt_tokens
    answer = request.options.max_new_tokens
    if prompt + answer <= context:
        return []
    room = context - prompt
    return [
        Finding(
            Severity.ERROR if prompt_tokens is not None or room < 1 else Severity.WARNING,
            f"{row.label} has a window of {context} tokens; the prompt takes {prompt} and the answer up to {answer}."
            if prompt_tokens is not None
            else f"{row.label} has a window of {context} tokens; the prompt takes about {prompt} and the answer up to "
            f"{answer}.",
            f"Give at most {room} new tokens, or fewer or smaller pictures."
            if room >= 1
            else "Give fewer or smaller pictures, or a shorter prompt.",
        )
    ]


def estimate_price(row: ModelRow, request: Request) -> float | None:
    """Return about what a request costs at most, in the currency of the row's prices; None where none is known."""
    estimate = estimate_tokens(row, request)
    if row.prices is None or estimate.pictures is None:
        return None
    answer = fit_options(row, row.routes[0], request.options).options.max_new_tokens
    return (estimate.prompt * row.prices.input + answer * row.prices.output) / 1e6
