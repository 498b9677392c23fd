"""Addresses of case cards: one file of one report, for who has leave for its case."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language, Person, Role
from pet2rep_core.ui.card_html import card_html
from pet2rep_core.ui.leave import PRIVATE, checked
from pet2rep_core.ui.server import server
from pet2rep_core.workflow.case_card import CaseCard, read_case_card

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.\-]+")


def _html(request: Request, case_id: str, reader: str) -> Response:
    card, language = _card(request, case_id, reader), _language(request)
    return _file(card_html(card, language).encode(), card, "html", "text/html; charset=utf-8")


def _png(request: Request, case_id: str, reader: str) -> Response:
    from pet2rep_core.ui.card_png import card_png  # noqa: PLC0415 - looks for fonts; not needed to open the app

    card, language = _card(request, case_id, reader), _language(request)
    return _file(card_png(card, language), card, "png", "image/png")


def _card(request: Request, case_id: str, reader: str) -> CaseCard:
    """Return the card, which names the model; the workflow asks for the role once more."""
    one = server()
    person = one.access.person(reader) or Person(reader, Role.RATER)
    generation_id = request.path_params["generation_id"]
    return read_case_card(one.store, one.settings, one.display, case_id, generation_id, person=person)


def _language(request: Request) -> Language:
    said = request.query_params.get("language", Language.ENGLISH.value)
    if said not in set(Language):
        raise UnknownNameError("language", said, [one.value for one in Language])
    return Language(said)


def _file(content: bytes, card: CaseCard, ending: str, media_type: str) -> Response:
    # always saved, never opened by the browser as a page of ours
    name = _NOT_IN_A_NAME.sub("-", f"card_{card.generation.case_id}_{card.generation.generation_id}")
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


CARD_ROUTES = [
    Route("/api/case/{case_id}/card/{generation_id}.html", checked(_html, in_query=True), methods=["GET"]),
    Route("/api/case/{case_id}/card/{generation_id}.png", checked(_png, in_query=True), methods=["GET"]),
]
