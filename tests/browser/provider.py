"""A small identity provider for tests: discovery, authorize, token, keys, end of session. OpenID Connect Core 1.0.

``python -m tests.browser.provider PORT`` serves it. Whoever is clicked on its page is signed in; ``short`` gets a
token that is good for a few seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sys
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, CLIENT_SECRET = "pet2rep", "not-a-secret-of-anyone"
PEOPLE = ("reader", "lab", "stranger", "short")
SHORT_S = 8
_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
_CODES: dict[str, dict[str, str]] = {}


def make_provider(issuer: str) -> Starlette:
    """Return the provider as an app."""

    async def discovery(_request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
                "end_session_endpoint": f"{issuer}/end",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        person = asked.pop("person", "")
        if person not in PEOPLE:
            links = "".join(f'<p><a href="?{urlencode({**asked, "person": one})}">{one}</a></p>' for one in PEOPLE)
            return HTMLResponse(f"<h1>Hospital</h1>{links}".replace("&", "&amp;"))
        code = secrets.token_urlsafe(16)
        _CODES[code] = {**asked, "person": person}
        query = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        given = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        asked = _CODES.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        if (
            asked is None
            or not hmac.compare_digest(request.headers.get("authorization", ""), f"Basic {given}")
            or challenge.rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now, person = int(time.time()), asked["person"]
        claims: dict[str, Any] = {
            "iss": issuer,
            "aud": CLIENT,
            "sub": f"sub-{person}",
            "iat": now,
            "exp": now + (SHORT_S if person == "short" else 3600),
            "nonce": asked["nonce"],
            "email": f"{person}@hospital.example",
            "email_verified": True,
        }
        id_token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, _KEY)
        return JSONResponse(
            {"id_token": id_token, "access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "expires_in": 3600}
        )

    async def keys(_request: Request) -> Response:
        return JSONResponse({"keys": [_KEY.as_dict(private=False)]})

    async def end(request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/authorize", authorize),
            Route("/token", token, methods=["POST"]),
            Route("/keys", keys),
            Route("/end", end),
        ]
    )


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(make_provider(f"http://127.0.0.1:{port}"), host="127.0.0.1", port=port, log_level="warning")
