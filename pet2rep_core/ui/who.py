"""Who looks at a page: found out on every run, in whichever way this installation signs people in."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pet2rep_core.errors import PermissionDeniedError
from pet2rep_core.records import Language, Person
from pet2rep_core.settings import SignIn
from pet2rep_core.ui import state
from pet2rep_core.ui.access import AccountAccess, ProviderAccess
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.reach import is_in_the_open
from pet2rep_core.ui.server import Server
from pet2rep_core.workflow.permissions import RESEARCH

SIGN_IN, PASSWORD = "sign-in", "password"
"""Addresses of our own pages for it, beside Streamlit's."""

Say = Callable[..., str]


def signed_in(server: Server, *, seen: bool = True) -> Person | None:
    """Return who is signed in on this browser, None where nobody is (or nobody has to).

    Raises
    ------
    PermissionDeniedError
        If the identity provider knows the person and this installation does not, or the sign-in has ended.
    """
    access = server.access
    if isinstance(access, AccountAccess):
        return access.signed_in(browser_cookies(), seen=seen)
    if isinstance(access, ProviderAccess):
        claims = provider_claims()
        return access.signed_in(claims, seen=seen) if claims else None
    return None


def still_there(server: Server, person: Person, *, seen: bool = True) -> Person:
    """Return the person who opened a page if they may still use it.

    Raises
    ------
    PermissionDeniedError
        If they are signed out, disabled, or have another role by now.
    """
    if server.settings.sign_in is SignIn.SINGLE:
        return person
    if signed_in(server, seen=seen) != person:
        raise PermissionDeniedError("You are not signed in any more.", hint="Sign in again.")
    return person


def browser_cookies() -> Mapping[str, str]:
    """Return the cookies with which the browser opened its connection."""
    return st.context.cookies


def browser_address() -> str | None:
    """Return the address of the page as the browser has it."""
    return st.context.url


def provider_claims() -> dict[str, Any]:
    """Return what the identity provider said of the person; empty where nobody is signed in."""
    said = dict(st.user.to_dict())
    return said if said.get("is_logged_in") else {}


def forget_others(person: Person) -> None:
    """Clear what another person left in this connection, after a sign-in in another tab of the same browser."""
    before = st.session_state.get(state.PERSON)
    if before not in (None, person):
        for key in [key for key in st.session_state if key != state.LANGUAGE]:
            del st.session_state[key]
    st.session_state[state.PERSON] = person


def draw_signed_in(server: Server, person: Person, say: Say, language: Language) -> None:
    """Draw who is signed in, and how to leave, for the side bar."""
    if person.role in RESEARCH and is_in_the_open(browser_address()):
        st.warning(say("sign_in.in_the_open"), icon=":material/lock_open:")
    st.markdown(f"**{escape_markdown(person.name)}** · {escape_markdown(say(f'sign_in.role_{person.role.value}'))}")
    if isinstance(server.access, AccountAccess):
        st.html(_link(PASSWORD, say("sign_in.change_password"), language))
    st.button(say("sign_in.sign_out"), key="sign_out", on_click=_sign_out, args=(server,), icon=":material/logout:")


def draw_sign_in(server: Server, say: Say, language: Language) -> None:
    """Draw the way to sign in for who is not."""
    st.title(say("app.name"))
    st.markdown(say("sign_in.needed"))
    if isinstance(server.access, AccountAccess):
        st.html(_link(SIGN_IN, say("sign_in.sign_in"), language, main=True))
    elif isinstance(server.access, ProviderAccess):
        provider = (server.access.people().provider,)
        st.button(say("sign_in.provider"), type="primary", on_click=st.login, args=provider, key="sign_in")


def _link(place: str, label: str, language: Language, *, main: bool = False) -> str:
    """Return a link to one of our own pages, in this very tab."""
    address = f"{place}?{urlencode({'language': language.value})}"
    look = f' class="{"p2r-button" if main else "p2r-quiet"}"'
    return f'<a href="{html.escape(address)}" target="_self"{look}>{html.escape(label)}</a>'


def _sign_out(server: Server) -> None:
    if isinstance(server.access, AccountAccess):
        server.access.end(browser_cookies())
    elif isinstance(server.access, ProviderAccess):
        server.access.end(provider_claims())
        st.logout()
    st.session_state.clear()
