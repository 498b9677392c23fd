"""Who may do what: asked where the work is done, whatever page or address it was asked from."""

from __future__ import annotations

from pet2rep_core.errors import PermissionDeniedError
from pet2rep_core.records import Person, Role

RESEARCH = (Role.RESEARCHER, Role.ADMIN)
"""Roles that see model names and scores, and run studies."""

ADMINISTER = (Role.ADMIN,)
"""Roles that manage accounts."""

EVERYONE = tuple(Role)
"""Roles of whoever is signed in."""

OWNER = Person("owner", Role.ADMIN)
"""Who works on the command line: it opens the files themselves, so this machine has let them in already."""


def require(person: Person, roles: tuple[Role, ...]) -> None:
    """Refuse a person whose role is none of these.

    Raises
    ------
    PermissionDeniedError
        With the role that is needed.
    """
    if person.role not in roles:
        raise PermissionDeniedError(
            f"This needs the role {roles[0].value!r}; you are signed in as {person.role.value!r}.",
            hint="Ask the administrator of this installation for another role.",
        )
