"""What every page begins with: title, menu, language, reader, view; and how errors are shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import streamlit as st

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.records import Language, Person, Role
from pet2rep_core.ui import state
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.sentences import error_in_language, in_language
from pet2rep_core.ui.server import Server, server
from pet2rep_core.ui.texts import read_texts, text
from pet2rep_core.workflow.rate import check_reader

READING, RESEARCH = "reading", "research"
PAGES = {
    "home": "home.py",
    "review": "pages/1_Review.py",
    "import": "pages/2_Import.py",
    "results": "pages/3_Results.py",
    "failures": "pages/4_Failures.py",
    "generate": "pages/5_Generate.py",
}
LANGUAGE_NAMES = {Language.CHINESE: "中文", Language.ENGLISH: "English"}
_DEFAULT_READER = "R01"
_STYLE = """
<style>
.stMainBlockContainer { padding: 3.75rem 2rem 2rem; }
.p2r-report { white-space: pre-wrap; overflow-wrap: anywhere; overflow-y: auto; height: 21rem; padding: 0.6rem 0.8rem;
  border: 1px solid rgba(128, 128, 128, 0.35); border-radius: 4px; line-height: 1.55; font-size: 0.92rem; }
.stMain:focus-visible, .p2r-report:focus-visible { outline: 2px solid currentColor; }
.p2r-place { cursor: pointer; text-decoration: underline dotted rgba(128, 128, 128, 0.8); text-underline-offset: 3px; }
.p2r-place:hover, .p2r-place:focus-visible { text-decoration-style: solid; background: rgba(24, 165, 88, 0.2); }
@media (max-width: 1100px) {
  .st-key-review > * > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-review > * > [data-testid="stHorizontalBlock"] > .stColumn { min-width: 100%; }
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
[class*="st-key-rate-"] [role="radio"] { padding-left: 0.55rem; padding-right: 0.55rem; }
.p2r-strip figure { margin: 0; } .p2r-strip figcaption { font-size: 0.75rem; opacity: 0.75; }
.p2r-strip img { height: 15rem; max-width: 100%; background: #000; }
</style>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page knows about who looks at it."""

    server: Server
    language: Language
    reader: str
    view: str
    session: str

    @property
    def is_research(self) -> bool:
        """Tell whether models and scores are shown."""
        return self.view == RESEARCH

    @property
    def person(self) -> Person:
        """The person who looks, with the role of the view."""
        return Person(self.reader, Role.RESEARCHER if self.is_research else Role.RATER)

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
    """Open a page: its title, the side menu, and who reads in which language and view.

    Stops the page with one sentence where the store cannot be opened.
    """
    _come_back()
    language = _language()
    say = partial(text, language)
    st.set_page_config(page_title=f"{say(f'menu.{name}')} · {say('app.name')}", page_icon="🩻", layout="wide")
    st.html(_STYLE)
    with st.sidebar:
        st.markdown(f"### {say('app.name')}")
        for page in PAGES:
            link_to(page, say(f"menu.{page}"))
        language = _choose_language(language)
        say = partial(text, language)
        view = _choose_view(say("app.view"), say("app.view_help"), {v: say(f"app.{v}") for v in (READING, RESEARCH)})
        reader = _choose_reader(say("app.reader"), say("app.reader_help"))
        st.caption(say("app.research_only"))
    st.query_params.update(address_of_person())
    with shown_errors():
        session = st.session_state.setdefault(state.SESSION, str(uuid.uuid4()))
        return Page(server(), language, check_reader(reader), view, session)
    st.stop()
    raise AssertionError("st.stop() ends the page")


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show our own errors as one sentence with what to do next; let all others through."""
    try:
        yield
    except Pet2RepError as error:
        message, hint = error_in_language(error, _language())
        st.error(escape_markdown(message) + (f"  \n{escape_markdown(hint)}" if hint else ""))


def link_to(page: str, label: str, *, icon: str | None = None) -> None:
    """Draw a link to another page that keeps language, view and reader."""
    st.page_link(PAGES[page], label=label, icon=icon, query_params=address_of_person())


def address_of_person() -> dict[str, str]:
    """Return what stands in the address of every page, so that a reload or a link keeps it."""
    return {
        key: str(st.session_state[key]) for key in (state.LANGUAGE, state.VIEW, state.READER) if key in st.session_state
    }


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
