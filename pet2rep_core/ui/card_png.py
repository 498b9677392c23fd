"""A case card as one picture for a slide."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from pet2rep_core.records import Language
from pet2rep_core.ui.card_html import FILL, line_of, score_text, side_caption
from pet2rep_core.ui.failure_tiles import Say, flag_line
from pet2rep_core.ui.plain import visible
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.case_card import CaseCard, Excerpt
from pet2rep_core.workflow.flags import Side

WIDTH, MARGIN, GAP = 1600, 48, 40
_PICTURE_HEIGHT = 420
_MOST_HEIGHT = 6000
_INK, _GREY, _RULE = (22, 25, 29), (90, 100, 112), (201, 206, 212)
_FILLS = {
    "missed": ((253, 235, 208), (214, 137, 16)),
    "invented": ((249, 217, 213), (192, 57, 43)),
    "differs": ((232, 218, 239), (125, 60, 152)),
    "flag": ((253, 240, 238), (192, 57, 43)),
}
_FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
_CHINESE_FONTS = re.compile(
    r"(?:NotoSans(?:CJK|SC|HansSC)|SourceHanSans|wqy-|PingFang|Hiragino Sans GB|STHeiti|msyh|simhei|DroidSansFallback)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"\n|[^\S\n]+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters that stay together on a line, and how they are marked (None: not)."""

    text: str
    kind: str | None = None


def card_png(card: CaseCard, language: Language, *, font_file: Path | None = None) -> bytes:
    """Return a card as a PNG 1600 pixels wide, in the words of an interface language.

    Parameters
    ----------
    font_file : Path, optional
        Font to draw with; else a Chinese font of this machine. Where there is none, the card says so in one
        sentence and Chinese characters are left blank.
    """

    def say(key: str, **values: object) -> str:
        return text(language, key, **values)

    font = font_file if font_file is not None else chinese_font()
    sheet = _Sheet(font)
    generation = card.generation
    sheet.line(f"{generation.case_id} · {generation.model}", size=34)
    sheet.line(line_of(card), size=18, ink=_GREY)
    if font is None:
        # the sentence must be readable without the font that it asks for
        sheet.line(text(Language.ENGLISH, "failures.card_font"), size=18, ink=(192, 57, 43))
    sheet.space(14)
    if card.pictures:
        sheet.pictures([Image.fromarray(one) for one in card.pictures])
        sheet.line(say("failures.card_pictures"), size=16, ink=_GREY)
    sheet.heading(say("scores.flags"))
    for flag in card.flags:
        said, words = flag_line(say, language, flag)
        sheet.line(f"• {said}" + ("" if flag.organ or not words else f"  “{words}”"), size=20)
    if not card.flags:
        sheet.line(say("failures.nothing_found"), size=20)
    sheet.space(12)
    _draw_sides(sheet, card, say)
    sheet.heading(say("scores.title"))
    middle = (len(card.scores) + 1) // 2
    sheet.columns(
        [
            [(f"{s.metric}   {score_text(say, language, s)}", s.signature) for s in part]
            for part in (card.scores[:middle], card.scores[middle:])
        ]
    )
    sheet.space(16)
    sheet.rule()
    sheet.line(say("app.research_only"), size=18, ink=_GREY)
    return sheet.png()


@lru_cache(maxsize=1)
def chinese_font() -> Path | None:
    """Return a font of this machine that has Chinese characters, a regular one before others; None without one."""
    found = []
    for folder in _FONT_FOLDERS:
        path = Path(folder).expanduser()
        if path.is_dir():
            found += [
                file
                for file in path.rglob("*")
                if file.suffix.lower() in (".ttf", ".ttc", ".otf") and _CHINESE_FONTS.match(file.name)
            ]
    return min(found, key=lambda file: ("regular" not in file.name.lower(), file.name), default=None)


def _draw_sides(sheet: _Sheet, card: CaseCard, say: Say) -> None:
    """Draw both reports beside each other."""
    width = (WIDTH - 2 * MARGIN - GAP) // 2
    top, bottoms = sheet.y, []
    sides: tuple[tuple[Side, str, tuple[Excerpt, ...]], ...] = (
        ("reference", say("review.reference"), card.reference),
        ("generated", say("review.generated"), card.generated),
    )
    for place, (side, heading, excerpts) in enumerate(sides):
        sheet.y, x = top, MARGIN + place * (width + GAP)
        sheet.line(heading, size=22, x=x, width=width)
        sheet.line(side_caption(say, card, side), size=16, ink=_GREY, x=x, width=width)
        sheet.space(6)
        for excerpt in excerpts:
            sheet.pieces(list(_pieces(excerpt, say)), size=20, x=x, width=width)
            sheet.space(8)
        bottoms.append(sheet.y)
    sheet.y = max(bottoms)


def _pieces(excerpt: Excerpt, say: Say) -> Iterator[_Piece]:
    at = 0
    for mark in excerpt.marks:
        yield from _cut(excerpt.text[at : mark.start], None)
        kind = FILL.get(mark.kind, "invented")
        yield from _cut(excerpt.text[mark.start : mark.end], kind)
        # colours alone would not tell what is marked
        yield from _cut(f" [{say(f'failures.filter_{mark.kind}')}] ", None)
        at = mark.end
    yield from _cut(excerpt.text[at:] + (f" {say('failures.card_cut')}" if excerpt.cut else ""), None)


def _cut(words: str, kind: str | None) -> Iterator[_Piece]:
    for match in _PIECES.finditer(visible(words)):
        for start in range(0, len(match[0]), 40):
            yield _Piece(match[0][start : start + 40], kind)


class _Sheet:
    """A white sheet that is written from the top down and cut to what was written."""

    def __init__(self, font: Path | None) -> None:
        self._font = font
        self._image = Image.new("RGB", (WIDTH, _MOST_HEIGHT), "white")
        self._draw = ImageDraw.Draw(self._image)
        self.y = MARGIN

    def space(self, pixels: int) -> None:
        self.y += pixels

    def rule(self) -> None:
        self._draw.line([(MARGIN, self.y), (WIDTH - MARGIN, self.y)], fill=_RULE, width=2)
        self.y += 12

    def heading(self, words: str) -> None:
        self.space(10)
        self.line(words, size=22)
        self.rule()

    def line(self, words: str, *, size: int, ink: tuple[int, int, int] = _INK, x: int = MARGIN, width: int = 0) -> None:
        self.pieces(list(_cut(words, None)), size=size, ink=ink, x=x, width=width)

    def pieces(
        self, pieces: list[_Piece], *, size: int, ink: tuple[int, int, int] = _INK, x: int = MARGIN, width: int = 0
    ) -> None:
        """Write pieces into lines of a width; marks have a ground and a line below."""
        font, end = self._sized(size), x + (width or WIDTH - 2 * MARGIN)
        at, height = float(x), round(size * 1.5)
        for piece in pieces:
            shown = piece.text if self._font is not None else _HAN.sub(" ", piece.text)
            length = font.getlength(shown) if shown != "\n" else 0.0
            if shown == "\n" or (at + length > end and at > x):
                at, self.y = float(x), self.y + height
                if not shown.strip():
                    continue
            if self.y > _MOST_HEIGHT - 3 * MARGIN:
                return
            if piece.kind is not None:
                ground, below = _FILLS[piece.kind]
                self._draw.rectangle([at, self.y + 2, at + length, self.y + height - 4], fill=ground)
                self._draw.line([(at, self.y + height - 4), (at + length, self.y + height - 4)], fill=below, width=2)
            self._draw.text((at, self.y), shown, font=font, fill=ink)
            at += length
        self.y += height

    def pictures(self, pictures: list[Image.Image]) -> None:
        """Draw pictures side by side, as large as they fit."""
        width = sum(one.width * _PICTURE_HEIGHT / one.height for one in pictures) + 8 * (len(pictures) - 1)
        height = round(_PICTURE_HEIGHT * min(1.0, (WIDTH - 2 * MARGIN) / width))
        x = MARGIN
        for one in pictures:
            size = (max(1, round(one.width * height / one.height)), height)
            self._image.paste(one.resize(size, Image.Resampling.LANCZOS), (x, self.y))
            x += size[0] + 8
        self.y += height + 8

    def columns(self, columns: list[list[tuple[str, str]]]) -> None:
        """Write columns of a line and what stands small below it."""
        width = (WIDTH - 2 * MARGIN - GAP) // 2
        top, bottoms = self.y, [self.y]
        for place, lines in enumerate(columns):
            self.y, x = top, MARGIN + place * (width + GAP)
            for words, below in lines:
                self.line(words, size=18, x=x, width=width)
                self.line(below, size=12, ink=_GREY, x=x, width=width)
            bottoms.append(self.y)
        self.y = max(bottoms)

    def png(self) -> bytes:
        buffer = io.BytesIO()
        self._image.crop((0, 0, WIDTH, min(_MOST_HEIGHT, self.y + MARGIN))).save(buffer, "PNG")
        return buffer.getvalue()

    def _sized(self, size: int) -> FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size) if self._font is None else _font(self._font, size)


@lru_cache(maxsize=16)
def _font(path: Path, size: int) -> FreeTypeFont:
    return ImageFont.truetype(str(path), size)
