"""The accounts page: who may sign in, new accounts, and changes to one."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Role
from pet2rep_core.store.accounts import Account
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page, note_for_next_run, shown_errors
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.accounts import add_account, list_accounts, reset_password, set_disabled, set_role


def draw_accounts(page: Page) -> None:
    """Draw every account, the form for a new one, and what can be changed."""
    accounts = list_accounts(page.server.store, person=page.person)
    _draw_one_time_password(page)
    _draw_table(page, accounts)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_new(page)
    with right:
        _draw_change(page, accounts)


def _draw_table(page: Page, accounts: list[Account]) -> None:
    say, formats = page.text, page.formats
    rows = [
        {
            say("accounts.name"): account.name,
            say("accounts.role"): say(f"sign_in.role_{account.role.value}"),
            say("accounts.state"): _state(page, account),
            say("accounts.signed_in"): formats.moment(account.signed_in_at),
            say("accounts.made"): formats.date(account.created_at),
        }
        for account in accounts
    ]
    draw_table(rows)


def _state(page: Page, account: Account) -> str:
    if account.disabled:
        return page.text("accounts.disabled")
    if account.must_change:
        return page.text("accounts.waiting")
    there = page.server.still_allowed(account.name)
    return page.text("accounts.here") if there else page.text("accounts.allowed")


def _draw_new(page: Page) -> None:
    say = page.text
    st.subheader(say("accounts.new"))
    with st.form("new_account", border=False, clear_on_submit=True):
        name = st.text_input(say("accounts.name"), max_chars=32, help=say("accounts.name_help"))
        role = _choose_role(page, "new_role", Role.RATER)
        added = st.form_submit_button(say("accounts.add"), type="primary")
    if added:
        with shown_errors():
            account, password = add_account(page.server.store, name.strip(), role, person=page.person)
            _hand_over(account, password)


def _draw_change(page: Page, accounts: list[Account]) -> None:
    say, store = page.text, page.server.store
    st.subheader(say("accounts.change"))
    named = {account.name: account for account in accounts}
    name = st.selectbox(say("accounts.name"), list(named), key="changed_account")
    account = named[name]
    role = _choose_role(page, f"role-{name}-{account.stamp}", account.role)
    bar = st.container(horizontal=True)
    with shown_errors():
        if bar.button(say("accounts.save_role"), disabled=role is account.role, key="save_role"):
            set_role(store, name, role, person=page.person)
            _done(page, name)
        label = say("accounts.enable") if account.disabled else say("accounts.disable")
        if bar.button(label, key="switch_account"):
            set_disabled(store, name, not account.disabled, person=page.person)
            _done(page, name)
        if bar.button(say("accounts.reset"), help=say("accounts.reset_help"), key="reset_account"):
            _hand_over(*reset_password(store, name, person=page.person))
    st.caption(say("accounts.change_note"))


def _choose_role(page: Page, key: str, now: Role) -> Role:
    chosen = st.segmented_control(
        page.text("accounts.role"),
        list(Role),
        default=now,
        format_func=lambda role: page.text(f"sign_in.role_{role.value}"),
        key=key,
        required=True,
        help=page.text("accounts.role_help"),
    )
    return Role(chosen)


def _hand_over(account: Account, password: str) -> None:
    """Show a password once, on the run that follows."""
    st.session_state[state.ONE_TIME] = (account.name, password)
    st.rerun()


def _draw_one_time_password(page: Page) -> None:
    kept = st.session_state.get(state.ONE_TIME)
    if kept is None:
        return
    name, password = kept
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(page.text('accounts.one_time', name=name))}**")
        st.code(password, language=None)
        st.caption(page.text("accounts.one_time_note"))
        if st.button(page.text("accounts.handed_over"), key="handed_over"):
            del st.session_state[state.ONE_TIME]
            st.rerun()


def _done(page: Page, name: str) -> None:
    note_for_next_run(page.text("accounts.saved", name=name))
    st.rerun()
