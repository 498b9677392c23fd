"""A case card as one HTML file that needs nothing else: no script, no address, pictures inside, every text escaped."""

from __future__ import annotations

import base64
import html

from pet2rep_core.imaging.render import encode_png
from pet2rep_core.records import Language, Score
from pet2rep_core.ui.failure_tiles import COUNTS, Say, flag_line
from pet2rep_core.ui.plain import visible
from pet2rep_core.ui.sentences import in_language
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.case_card import CaseCard, Excerpt
from pet2rep_core.workflow.flags import Flag, Side

FILL = {"missed": "missed", "other_state": "differs", "patient": "flag", "identity": "flag", "slots": "flag"}
"""How a kind of flag is marked, where that is not as something invented."""

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem; font: 16px/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; color: #16191d; background: #fff; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.4rem 0 0.4rem; }
.of, footer, .sig { color: #5a6470; } .sig { font-size: 0.75rem; overflow-wrap: anywhere; }
.pictures { display: flex; gap: 6px; flex-wrap: wrap; margin-top: 1rem; }
.pictures img { height: 26rem; background: #000; image-rendering: auto; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1.6rem; }
.sides p { margin: 0 0 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; } table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
td, th { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid #e3e6ea; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
mark { color: inherit; border-radius: 2px; padding: 0 1px; }
mark small { font-size: 0.7em; opacity: 0.8; padding-left: 0.2em; }
.missed { background: #fdebd0; text-decoration: underline dashed #d68910; }
.invented { background: #f9d9d5; text-decoration: underline wavy #c0392b; }
.differs { background: #e8daef; text-decoration: underline double #7d3c98; }
.flag { background: #fdf0ee; outline: 1px dashed #c0392b; }
footer { margin-top: 1.6rem; border-top: 1px solid #c9ced4; padding-top: 0.6rem; font-size: 0.85rem; }
@media (max-width: 50rem) { .sides { grid-template-columns: 1fr; } }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def card_html(card: CaseCard, language: Language) -> str:
    """Return a card as a whole HTML document, in the words of an interface language."""

    def say(key: str, **values: object) -> str:
        return text(language, key, **values)

    title = f"{card.generation.case_id} · {card.generation.model}"
    pictures = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(encode_png(picture)).decode("ascii")}" alt="{number}">'
        for number, picture in enumerate(card.pictures, start=1)
    )
    caption = f'<div class="of">{_plain(say("failures.card_pictures"))}</div>' if pictures else ""
    flags = "".join(f"<li>{_flag(say, language, flag)}</li>" for flag in card.flags)
    found = f"<ul>{flags}</ul>" if flags else f"<p>{_plain(say('failures.nothing_found'))}</p>"
    sides: tuple[tuple[Side, str, tuple[Excerpt, ...]], ...] = (
        ("reference", say("review.reference"), card.reference),
        ("generated", say("review.generated"), card.generated),
    )
    texts = "".join(
        f"<section><h2>{_plain(heading)} · {_plain(side_caption(say, card, side))}</h2>"
        f'<div lang="{card.language.value}">{"".join(_excerpt(say, one) for one in excerpts)}</div></section>'
        for side, heading, excerpts in sides
    )
    rows = "".join(
        f"<tr><td>{_plain(score.metric)}</td>"
        f'<td class="number">{_plain(score_text(say, language, score))}</td>'
        f'<td class="sig">{_plain(score.signature)}</td></tr>'
        for score in card.scores
    )
    heads = "".join(f"<th>{_plain(say(f'scores.{name}'))}</th>" for name in ("metric", "value", "signature"))
    return (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{_plain(title)}</title><style>{_STYLE}</style>'
        f'</head><body><h1>{_plain(title)}</h1><div class="of">{_plain(line_of(card))}</div>'
        f'<div class="pictures">{pictures}</div>{caption}<h2>{_plain(say("scores.flags"))}</h2>{found}'
        f'<div class="sides">{texts}</div><h2>{_plain(say("scores.title"))}</h2>'
        f"<table><tr>{heads}</tr>{rows}</table><footer>{_plain(say('app.research_only'))}</footer></body></html>"
    )


def line_of(card: CaseCard) -> str:
    """Return what a card says below its title."""
    generation = card.generation
    return " · ".join((card.dataset, generation.language.value, card.input_setting, generation.generation_id))


def side_caption(say: Say, card: CaseCard, side: Side) -> str:
    """Return what the excerpts of one side are."""
    excerpts = card.reference if side == "reference" else card.generated
    if not excerpts:
        if side == "reference":
            return say("review.no_reference")
        return say("failures.card_no_text", status=say(f"failures.filter_{card.generation.status.value}"))
    return say("failures.card_whole" if side in card.whole else "failures.card_excerpt")


def score_text(say: Say, language: Language, score: Score) -> str:
    """Return a score as it is shown: a count whole, a share with four places, no number with its reason."""
    if score.value is None:
        return say("scores.none", reason=in_language(score.reason, language))
    return f"{score.value:.0f}" if score.metric in COUNTS else f"{score.value:.4f}"


def _flag(say: Say, language: Language, flag: Flag) -> str:
    said, _ = flag_line(say, language, flag)
    kind = FILL.get(flag.kind, "invented")
    # without words of its own a flag without an organ would say nothing of where it is
    words = " … ".join(one.text for one in flag.words) if flag.organ is None else ""
    return f'<mark class="{kind}">{_plain(said)}</mark>' + (f" <q>{_plain(words)}</q>" if words else "")


def _excerpt(say: Say, excerpt: Excerpt) -> str:
    parts, at = [], 0
    for mark in excerpt.marks:
        parts.append(_plain(excerpt.text[at : mark.start]))
        words = _plain(excerpt.text[mark.start : mark.end])
        name = _plain(say(f"failures.filter_{mark.kind}"))
        parts.append(f'<mark class="{FILL.get(mark.kind, "invented")}">{words}<small>{name}</small></mark>')
        at = mark.end
    parts.append(_plain(excerpt.text[at:]))
    end = f' <span class="of">{_plain(say("failures.card_cut"))}</span>' if excerpt.cut else ""
    return f"<p>{''.join(parts)}{end}</p>"


def _plain(words: str) -> str:
    return html.escape(visible(words))
