"""The options of a run on a page: those that the chosen models take, with the values of the benchmark at first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import streamlit as st

from pet2rep_core.prompts.prompt import list_prompts
from pet2rep_core.records import Language
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import prompt_name
from pet2rep_core.vlm.request import Options
from pet2rep_core.workflow.build_request import LEAST_PX, MOST_PX, OWN_PROMPT, Asking

_FIRST = Options()
_NUMBERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.1),
    "top_p": (0.0, 1.0, 0.05),
    "top_k": (0, 1000, 1),
    "repetition_penalty": (0.5, 2.0, 0.05),
    "seed": (0, 2**31 - 1, 1),
}
"""Lowest, highest and step; whole numbers where these are whole."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person set: what is asked, where, and whether incomplete answers are asked for again."""

    asking: Asking
    base_url: str
    again: bool


def draw_options(page: Page, key: str, accepted: Collection[str], language: Language, *, server: bool) -> Wishes:
    """Let a person set the options that the chosen models take.

    Parameters
    ----------
    key : str
        Tells the widgets of one page from those of another.
    accepted : collection of str
        Names of the options; the others are not shown and not sent.
    server : bool
        Whether an address of a server can be given.
    """
    say = page.text
    most = st.number_input(
        say("generate.max_new_tokens"), 1, 65536, _FIRST.max_new_tokens, step=256, key=f"{key}-max_new_tokens",
        help=say("generate.max_new_tokens_help"),
    )  # fmt: skip
    options = Options(
        max_new_tokens=int(most or _FIRST.max_new_tokens),
        temperature=None, top_p=None, top_k=None, repetition_penalty=None, seed=None,
    )  # fmt: skip
    shown = [name for name in _NUMBERS if name in accepted]
    boxes = st.columns(2)
    for place, name in enumerate(shown):
        low, high, step = _NUMBERS[name]
        value = boxes[place % 2].number_input(
            say(f"generate.{name}"), low, high, getattr(_FIRST, name), step=step, key=f"{key}-{name}",
            placeholder=say("generate.not_sent"),
        )  # fmt: skip
        options = replace(options, **{name: value})
    if shown:
        st.caption(say("generate.empty_not_sent"))
    size_box, prompt_box = st.columns(2)
    size = size_box.number_input(
        say("generate.size_px"), LEAST_PX, MOST_PX, None, step=32, key=f"{key}-size_px",
        placeholder=say("generate.size_paper"), help=say("generate.size_help"),
    )  # fmt: skip
    prompts = [OWN_PROMPT, *(name for name, code in list_prompts() if code is language)]
    prompt = prompt_box.selectbox(
        say("generate.prompt"), prompts, key=f"{key}-prompt", help=say("generate.prompt_help"),
        format_func=lambda name: say("generate.prompt_own") if name == OWN_PROMPT else prompt_name(page, name),
    )  # fmt: skip
    base_url = ""
    if server:
        base_url = st.text_input(
            say("generate.address"), st.session_state.get(state.ADDRESS, ""), key=f"{key}-address",
            placeholder="http://127.0.0.1:8000/v1", help=say("generate.address_help"),
            on_change=_keep_address, args=(f"{key}-address",),
        ).strip()  # fmt: skip
    again = st.checkbox(say("generate.again"), key=f"{key}-again", help=say("generate.again_help"))
    return Wishes(Asking(language, prompt or OWN_PROMPT, size, options), base_url, again)


def _keep_address(key: str) -> None:
    st.session_state[state.ADDRESS] = st.session_state.get(key, "").strip()
