"""What every page begins with: title, menu, language, person, view; and how errors are shown."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st

from pet2rep_core.errors import Pet2RepError, SettingsError
from pet2rep_core.records import Language, Person, Role
from pet2rep_core.settings import SignIn
from pet2rep_core.ui import state
from pet2rep_core.ui.formats import Formats
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.sentences import error_in_language, in_language
from pet2rep_core.ui.server import Server, server
from pet2rep_core.ui.texts import read_texts, text
from pet2rep_core.ui.who import draw_sign_in, draw_signed_in, forget_others, signed_in, still_there
from pet2rep_core.workflow import permissions
from pet2rep_core.workflow.rate import check_reader

READING, RESEARCH = "reading", "research"


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu: its file, who may see it, and in which ways of signing in it is there at all."""

    file: str
    roles: tuple[Role, ...] = permissions.EVERYONE
    modes: tuple[SignIn, ...] = tuple(SignIn)


PAGES = {
    "home": Entry("home.py"),
    "reading": Entry("pages/7_Reading.py"),
    "review": Entry("pages/1_Review.py", permissions.RESEARCH),
    "import": Entry("pages/2_Import.py", permissions.RESEARCH),
    "generate": Entry("pages/5_Generate.py", permissions.RESEARCH),
    "results": Entry("pages/3_Results.py", permissions.RESEARCH),
    "failures": Entry("pages/4_Failures.py", permissions.RESEARCH),
    "studies": Entry("pages/6_Studies.py", permissions.RESEARCH),
    "accounts": Entry("pages/8_Accounts.py", permissions.ADMINISTER, (SignIn.ACCOUNTS,)),
}
"""The menu. Hidden is not forbidden: :func:`open_page` refuses too, and so does the workflow behind each page.

A rater has the start page and the reading desk: Review names cases and shows their reference reports, which would
unblind the studies that they are in.
"""

Given = ParamSpec("Given")
Made = TypeVar("Made")
LANGUAGE_NAMES = {Language.CHINESE: "中文", Language.ENGLISH: "English"}
_DEFAULT_READER = "R01"
_STYLE = """
<style>
.stMainBlockContainer { padding: 3.75rem 2rem 2rem; }
.p2r-report { white-space: pre-wrap; overflow-wrap: anywhere; overflow-y: auto; height: 21rem; padding: 0.6rem 0.8rem;
  border: 1px solid rgba(128, 128, 128, 0.35); border-radius: 4px; line-height: 1.55; font-size: 0.92rem; }
.p2r-button { display: inline-block; padding: 0.45rem 1.1rem; border-radius: 4px; background: #0b6e8a;
  color: #fff !important; text-decoration: none !important; font-weight: 600; }
.p2r-quiet { color: inherit !important; font-size: 0.9rem; text-underline-offset: 3px; }
.stMain:focus-visible, .p2r-report:focus-visible { outline: 2px solid currentColor; }
.p2r-place { cursor: pointer; text-decoration: underline dotted rgba(128, 128, 128, 0.8); text-underline-offset: 3px; }
.p2r-place:hover, .p2r-place:focus-visible { text-decoration-style: solid; background: rgba(24, 165, 88, 0.2); }
@media (max-width: 1100px) {
  .stMain [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .stMain .stColumn { min-width: 11rem; }
  .stMain .stColumn:has([data-testid="stButtonGroup"]) { min-width: min(100%, 20rem); }
  .stMain .st-key-rating .stColumn { min-width: 0; }
  .st-key-review > * > [data-testid="stHorizontalBlock"] > .stColumn,
  .st-key-failures .stColumn, .stMain .stColumn:has([data-testid="stPlotlyChart"]) { min-width: 100%; }
}
mark[class^="p2r-"] { color: inherit; border-radius: 2px; padding: 0 1px; }
.p2r-match { background: rgba(24, 165, 88, 0.16); text-decoration: underline solid #18a558; }
.p2r-missed { background: rgba(214, 137, 16, 0.2); text-decoration: underline dashed #d68910; }
.p2r-invented { background: rgba(192, 57, 43, 0.18); text-decoration: underline wavy #c0392b; }
.p2r-differs { background: rgba(125, 60, 152, 0.16); text-decoration: underline double #7d3c98; }
.p2r-flag { background: rgba(192, 57, 43, 0.1); outline: 1px dashed #c0392b; }
.p2r-live { display: flex; flex-direction: column-reverse; height: 14rem; }
.p2r-plain { white-space: pre-wrap; overflow-wrap: anywhere; margin-bottom: auto; }
.p2r-said { height: auto; max-height: 21rem; font-size: 0.85rem; }
.p2r-strip { display: flex; gap: 4px; flex-wrap: wrap; }
[class*="st-key-rate-"] [role="radio"] { padding-left: 0.45rem; padding-right: 0.45rem; }
.p2r-strip figure { margin: 0; } .p2r-strip figcaption { font-size: 0.75rem; opacity: 0.75; }
.p2r-strip img { height: 15rem; max-width: 100%; background: #000; }
</style>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page knows about who looks at it.

    ``opened_by`` is who opened it; parts of a page that are drawn later ask :attr:`person`, who may be gone by then.
    """

    server: Server
    language: Language
    opened_by: Person
    view: str
    session: str

    @property
    def person(self) -> Person:
        """The person who looks, with the role of the view.

        Raises
        ------
        PermissionDeniedError
            If they are signed out or disabled by now.
        """
        return still_there(self.server, self.opened_by)

    @property
    def reader(self) -> str:
        """The person's pseudonym; refused as :attr:`person` is."""
        return self.person.name

    @property
    def operator(self) -> Person:
        """Who works on this installation itself: on a machine with one person that person, whatever the view."""
        person = self.person
        return Person(person.name, Role.ADMIN) if self.server.settings.sign_in is SignIn.SINGLE else person

    @property
    def is_research(self) -> bool:
        """Tell whether models and scores are shown."""
        return self.view == RESEARCH and self.opened_by.role in permissions.RESEARCH

    @property
    def formats(self) -> Formats:
        """How dates and numbers are written in the page's language, in the time zone of the browser."""
        return Formats(self.language, st.context.timezone)

    def text(self, key: str, **values: object) -> str:
        """Return a text of the interface in the page's language."""
        return text(self.language, key, **values)

    def said(self, sentence: str) -> str:
        """Return what the rooms below the interface say (a reason, a warning) in the page's language."""
        return in_language(sentence, self.language)

    def name(self, kind: str, name: str) -> str:
        """Return the name of a preset or model in the page's language; what a site added keeps its own."""
        return read_texts(self.language).get(f"{kind}.{name}", name)


def open_page(name: str) -> Page:
    """Open a page: its title, the side menu, and who looks in which language and view.

    Stops the page with one sentence where the store cannot be opened, and for who may not see it.
    """
    _come_back()
    language = _language()
    say = partial(text, language)
    st.set_page_config(page_title=f"{say(f'menu.{name}')} · {say('app.name')}", page_icon="🩻", layout="wide")
    st.html(_STYLE)
    with shown_errors():
        one = server()
        page = _single_page(one) if one.settings.sign_in is SignIn.SINGLE else _signed_in_page(one)
        if page is not None:
            entry = PAGES[name]
            if one.settings.sign_in not in entry.modes:
                raise SettingsError(
                    "There are no accounts where everyone on this machine is one person.",
                    hint="Set PET2REP_SIGN_IN to 'accounts' to have them.",
                )
            permissions.require(page.operator, entry.roles)
            return page
    st.stop()
    raise AssertionError("st.stop() ends the page")


def _single_page(one: Server) -> Page:
    """Return the page of the one person of this machine, whose view decides the role."""
    with st.sidebar:
        language, say = _draw_menu(one, Role.ADMIN)
        view = _choose_view(say("app.view"), say("app.view_help"), {v: say(f"app.{v}") for v in (READING, RESEARCH)})
        reader = _choose_reader(say("app.reader"), say("app.reader_help"))
        st.caption(say("app.research_only"))
    st.query_params.update(address_of_person())
    session = st.session_state.setdefault(state.SESSION, str(uuid.uuid4()))
    person = Person(check_reader(reader), Role.ADMIN if view == RESEARCH else Role.RATER)
    return Page(one, language, person, view, session)


def _signed_in_page(one: Server) -> Page | None:
    """Return the page of who is signed in; otherwise draw how to, and return None."""
    person, refused = None, None
    try:
        person = signed_in(one)
    except Pet2RepError as error:
        refused = error
    if person is not None:
        forget_others(person)
    with st.sidebar:
        language, say = _draw_menu(one, None if person is None else person.role)
        view = READING
        if person is not None and person.role in permissions.RESEARCH:
            names = {v: say(f"app.{v}") for v in (READING, RESEARCH)}
            view = _choose_view(say("app.view"), say("app.view_help"), names)
        if person is not None:
            draw_signed_in(one, person, say, language)
        st.caption(say("app.research_only"))
    st.query_params.pop(state.READER, None)
    st.query_params.update(address_of_person())
    if refused is not None:
        _show_error(refused)
    if person is None:
        draw_sign_in(one, say, language)
        return None
    session = st.session_state.setdefault(state.SESSION, str(uuid.uuid4()))
    return Page(one, language, person, view, session)


def _draw_menu(one: Server, role: Role | None) -> tuple[Language, partial[str]]:
    """Draw the pages that a role sees and the choice of language; returns that, and how to speak it."""
    language = _language()
    say = partial(text, language)
    st.markdown(f"### {say('app.name')}")
    for name, entry in PAGES.items():
        if role in entry.roles and one.settings.sign_in in entry.modes:
            link_to(name, say(f"menu.{name}"))
    language = _choose_language(language)
    return language, partial(text, language)


def page_part(
    draw: Callable[Concatenate[Page, Given], Made], *, run_every: float | None = None
) -> Callable[Concatenate[Page, Given], Made | None]:
    """Make a part of a page that is drawn anew on its own, for who is still signed in; others see why not.

    Parameters
    ----------
    run_every : float, optional
        Seconds after which it is drawn without a click, which keeps nobody signed in.
    """

    @wraps(draw)
    def checked(page: Page, *args: Given.args, **options: Given.kwargs) -> Made | None:
        try:
            still_there(page.server, page.opened_by, seen=run_every is None)
            return draw(page, *args, **options)
        except Pet2RepError as error:
            _show_error(error)
            return None

    part: Callable[..., Made | None] = checked
    return st.fragment(part, run_every=run_every)


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show our own errors as one sentence with what to do next; let all others through."""
    try:
        yield
    except Pet2RepError as error:
        _show_error(error)


def _show_error(error: Pet2RepError) -> None:
    message, hint = error_in_language(error, _language())
    st.error(escape_markdown(message) + (f"  \n{escape_markdown(hint)}" if hint else ""))


def link_to(page: str, label: str, *, icon: str | None = None) -> None:
    """Draw a link to another page that keeps what :func:`address_of_person` says."""
    st.page_link(PAGES[page].file, label=label, icon=icon, query_params=address_of_person())


def address_of_person() -> dict[str, str]:
    """Return what stands in the address of every page, so that a reload or a link keeps it."""
    # who is signed in, no address says
    of_one_person = () if state.PERSON in st.session_state else (state.READER,)
    kept = (state.LANGUAGE, state.VIEW, *of_one_person)
    return {key: str(st.session_state[key]) for key in kept if key in st.session_state}


def note_for_next_run(message: str) -> None:
    """Keep a message for the page that is drawn next."""
    st.session_state[state.NOTE] = message


def show_note() -> None:
    """Show the message that the run before left, once."""
    message = st.session_state.pop(state.NOTE, None)
    if message:
        st.toast(escape_markdown(message))


def _come_back() -> None:
    """Take language, view and reader from the address after a reload, where they are ours."""
    allowed: dict[str, set[str] | None] = {
        state.LANGUAGE: {code.value for code in Language},
        state.VIEW: {READING, RESEARCH},
        state.READER: None,
    }
    for key, values in allowed.items():
        said = st.query_params.get(key)
        if said and key not in st.session_state and (values is None or said in values):
            st.session_state[key] = said


def _language() -> Language:
    return Language(st.session_state.get(state.LANGUAGE, _first_language()))


def _first_language() -> Language:
    return Language.CHINESE if (st.context.locale or "").lower().startswith("zh") else Language.ENGLISH


def _keep(plain_key: str, widget_key: str) -> None:
    if st.session_state.get(widget_key) is not None:
        st.session_state[plain_key] = st.session_state[widget_key]


def _choose_language(now: Language) -> Language:
    st.segmented_control(
        "Language / 语言",
        list(Language),
        default=now,
        format_func=LANGUAGE_NAMES.__getitem__,
        key="language_choice",
        required=True,
        on_change=_keep,
        args=(state.LANGUAGE, "language_choice"),
    )
    return Language(st.session_state.get(state.LANGUAGE, now))


def _choose_view(label: str, help_text: str, names: dict[str, str]) -> str:
    st.segmented_control(
        label,
        list(names),
        default=st.session_state.get(state.VIEW, READING),
        format_func=names.__getitem__,
        key="view_choice",
        help=help_text,
        required=True,
        on_change=_keep,
        args=(state.VIEW, "view_choice"),
    )
    return str(st.session_state.get(state.VIEW, READING))


def _choose_reader(label: str, help_text: str) -> str:
    st.text_input(
        label,
        value=st.session_state.get(state.READER, _DEFAULT_READER),
        key="reader_choice",
        max_chars=32,
        help=help_text,
        on_change=_keep,
        args=(state.READER, "reader_choice"),
    )
    return str(st.session_state.get(state.READER, _DEFAULT_READER)).strip()
