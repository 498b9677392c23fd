"""The sign-in page and the page for another password: plain HTML forms, which password managers and readers know.

They stand outside Streamlit because only an answer of HTTP can give a browser its cookie. No script, no file.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from pet2rep_core.records import Language
from pet2rep_core.ui.texts import text

_LANGUAGE_NAMES = {Language.CHINESE: "中文", Language.ENGLISH: "English"}
_STYLE = """
:root { color-scheme: light dark; --ink: #262730; --soft: #5c6370; --line: #c9ced6; --back: #f4f6f8; --card: #ffffff;
  --main: #0b6e8a; --on-main: #ffffff; --bad: #a4262c; --bad-back: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --ink: #f2f4f7; --soft: #a9b1bd; --line: #4a505c; --back: #0e1117;
  --card: #1a1d26; --main: #3fb6d3; --on-main: #06222b; --bad: #ffb4ab; --bad-back: #3b1b1b; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--ink);
  font: 16px/1.5 "Source Sans", "Source Sans 3", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui,
  sans-serif; }
nav { display: flex; justify-content: flex-end; gap: 1rem; padding: 1rem 1.5rem; }
nav a, nav span { color: var(--soft); text-decoration: none; } nav a:hover { text-decoration: underline; }
nav span { color: var(--ink); font-weight: 600; }
main { width: min(24rem, calc(100vw - 2rem)); margin: auto; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; }
h1 { margin: 0 0 0.25rem; font-size: 1.5rem; line-height: 1.3; }
p { margin: 0 0 1.25rem; color: var(--soft); }
p.bad { padding: 0.6rem 0.8rem; border-left: 4px solid var(--bad); border-radius: 4px; background: var(--bad-back);
  color: var(--ink); }
p.back { margin: 1rem 0 0; text-align: center; } p.back a { color: inherit; text-underline-offset: 3px; }
label { display: block; margin: 0 0 1rem; font-weight: 600; font-size: 0.95rem; }
input { display: block; width: 100%; margin-top: 0.3rem; padding: 0.55rem 0.7rem; border: 1px solid var(--line);
  border-radius: 4px; background: var(--back); color: var(--ink); font: inherit; font-weight: 400; }
button { width: 100%; margin-top: 0.25rem; padding: 0.6rem; border: 0; border-radius: 4px; background: var(--main);
  color: var(--on-main); font: inherit; font-weight: 600; cursor: pointer; }
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
footer { padding: 1rem 1.5rem; text-align: center; color: var(--soft); font-size: 0.875rem; }
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with the attempt before, in the page's language."""

    message: str
    hint: str = ""


def sign_in_html(language: Language, *, name: str = "", after: str = "", problem: Problem | None = None) -> str:
    """Return the sign-in page.

    Parameters
    ----------
    name : str
        What was typed as a name in the attempt before.
    after : str
        Address within the app to go to afterwards.
    """
    say = partial(text, language)
    fields = [
        _field("name", say("sign_in.name"), "text", "username", value=name, focus=not name),
        _field("password", say("sign_in.password"), "password", "current-password", focus=bool(name)),
    ]
    # the address stands in the form too: a failed attempt must not forget it
    hidden = f'<input type="hidden" name="next" value="{html.escape(after)}">' if after else ""
    body = _form("sign-in", language, "".join(fields) + hidden, say("sign_in.sign_in"))
    return _page(language, "sign-in", say("app.name"), say("sign_in.lead"), body, problem, after=after)


def password_html(language: Language, name: str, *, forced: bool, problem: Problem | None = None) -> str:
    """Return the page on which a person chooses another password; ``forced`` after a one-time password."""
    say = partial(text, language)
    fields = [
        f'<input type="hidden" name="name" autocomplete="username" value="{html.escape(name)}">',
        _field("present", say("sign_in.present_password"), "password", "current-password", focus=True),
        _field("new", say("sign_in.new_password"), "password", "new-password"),
        _field("again", say("sign_in.again_password"), "password", "new-password"),
    ]
    lead = say("sign_in.password_forced") if forced else say("sign_in.password_lead")
    body = _form("password", language, "".join(fields), say("sign_in.save_password"))
    if not forced:
        back = html.escape(f"./?{urlencode({'language': language.value})}")
        body += f'<p class="back"><a href="{back}">{html.escape(say("sign_in.back"))}</a></p>'
    return _page(language, "password", say("sign_in.password_title", name=name), lead, body, problem)


def _field(name: str, label: str, kind: str, complete: str, *, value: str = "", focus: bool = False) -> str:
    return (
        f'<label>{html.escape(label)}<input name="{name}" type="{kind}" autocomplete="{complete}" required '
        f'maxlength="256" value="{html.escape(value)}"{" autofocus" if focus else ""}></label>'
    )


def _form(place: str, language: Language, fields: str, label: str) -> str:
    address = html.escape(f"{place}?{urlencode({'language': language.value})}")
    return f'<form method="post" action="{address}">{fields}<button type="submit">{html.escape(label)}</button></form>'


def _page(
    language: Language, place: str, title: str, lead: str, body: str, problem: Problem | None, *, after: str = ""
) -> str:
    say = partial(text, language)
    said = ""
    if problem is not None:
        hint = f"<br>{html.escape(problem.hint)}" if problem.hint else ""
        said = f'<p class="bad" role="alert">{html.escape(problem.message)}{hint}</p>'
    return (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<nav aria-label="Language / 语言">{_languages(language, place, after)}</nav>'
        f"<main><h1>{html.escape(title)}</h1><p>{html.escape(lead)}</p>{said}{body}</main>"
        f"<footer>{html.escape(say('app.research_only'))}</footer></body></html>"
    )


def _languages(now: Language, place: str, after: str) -> str:
    parts = []
    for language, name in _LANGUAGE_NAMES.items():
        if language is now:
            parts.append(f'<span lang="{language.value}" aria-current="true">{name}</span>')
            continue
        query = {"language": language.value} | ({"next": after} if after else {})
        address = html.escape(f"{place}?{urlencode(query)}")
        parts.append(f'<a lang="{language.value}" href="{address}">{name}</a>')
    return "".join(parts)
