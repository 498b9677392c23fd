"""What must be so before the app is served at all, by the way in which people sign in."""

from __future__ import annotations

import importlib.util
import ipaddress
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from pet2rep_core.errors import MissingDependencyError, SettingsError
from pet2rep_core.settings import Settings, SignIn


def check_reach(settings: Settings, address: str | None) -> None:
    """Refuse to serve other machines where everyone who reaches the app is taken for its one person.

    Parameters
    ----------
    address : str or None
        What Streamlit listens on, ``server.address``; nothing means every address of the machine.

    Raises
    ------
    SettingsError
        If the sign-in cannot stand on this address, or nothing says which identity provider to ask.
    MissingDependencyError
        If the identity provider is to sign people in and Authlib is not installed.
    """
    if settings.sign_in is SignIn.SINGLE and not _is_loopback(address):
        raise SettingsError(
            f"The app would listen on {address or 'every address'}, and anyone who reaches it would be its one person.",
            hint="Set PET2REP_SIGN_IN to 'accounts' or 'oidc', or server.address to 127.0.0.1.",
        )
    if settings.sign_in is SignIn.OIDC and importlib.util.find_spec("authlib") is None:
        raise MissingDependencyError("Signing in at an identity provider", "pip install 'pet2rep-review[oidc]'")
    if settings.sign_in is SignIn.OIDC and not _names_provider():
        raise SettingsError(
            "Streamlit's secrets.toml has no [auth], which names the identity provider.",
            hint="Write it as the README shows, with redirect_uri, cookie_secret, client_id and server_metadata_url.",
        )


def is_in_the_open(address: str | None) -> bool:
    """Tell whether what a browser sends to this address can be read on its way: plain http to another machine.

    Parameters
    ----------
    address : str or None
        The page's address as the browser says it, which knows of a proxy's TLS; nothing where nobody said it.
    """
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return False
    return parts.scheme == "http" and not _is_loopback(parts.hostname)


def _names_provider() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
