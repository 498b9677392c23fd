"""Accounts: who may sign in, and as what."""

import streamlit as st

from pet2rep_core.ui.accounts import draw_accounts
from pet2rep_core.ui.frame import open_page, show_note, shown_errors

page = open_page("accounts")
show_note()
st.title(page.text("accounts.title"))
st.markdown(page.text("accounts.lead"))
with shown_errors():
    draw_accounts(page)
