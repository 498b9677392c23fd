"""The server: ``streamlit run app.py`` serves home.py, the pages beside it and our own routes."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.settings import read_settings
from pet2rep_core.ui.gate import SignInGate
from pet2rep_core.ui.reach import check_reach
from pet2rep_core.ui.routes import ROUTES, SecurityHeaders
from pet2rep_core.ui.server import server

try:  # before anything listens: within the lifespan the server would say it in a traceback
    check_reach(read_settings(), st.config.get_option("server.address"))
except Pet2RepError as error:
    sys.exit(str(error))


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Open everything once, then take the imported modules out of the garbage collector's rounds."""
    try:
        one = server()
    except Pet2RepError:
        one = None  # every page tries again and says what is wrong
    gc.collect()
    gc.freeze()
    yield {}
    if one is not None:
        one.close()


app = st.App(
    "home.py", routes=ROUTES, middleware=[Middleware(SecurityHeaders), Middleware(SignInGate)], lifespan=lifespan
)
