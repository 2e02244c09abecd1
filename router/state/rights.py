"""What a key may be used for, and out of whose budgets; never more than the key that it was made with.

A path is written as it is, or ends in `/*` for all that lies beneath: nothing else is a pattern, so
that whether one scope holds another is plain to see.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from router.errors import ForbiddenError, InvalidRequestError

SCOPES_MAX = 100
MAKERS_MAX = 8
"""How many keys, each made with the one before, a key may draw on: each is looked at with every request."""
_PATH = re.compile(r"/[A-Za-z0-9._/-]{0,200}")
_MODEL = re.compile(r"[\x21-\x7e]{1,200}")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Rights:
    """The scope of one key; None: whatever its team, or its holder's role, may."""

    models: tuple[str, ...] | None = None
    """Names of models; plans are cut to these."""
    paths: tuple[str, ...] | None = None
    environment: str | None = None
    """E.g. "production": a fact for rules."""
    project: str | None = None
    expires_at_us: int | None = None
    draws_on: tuple[str, ...] = ()
    """The keys out of whose budgets it spends besides its own: the one that it was made with, and that one's."""


ANY = Rights()


def checked(rights: Rights, now_us: int) -> Rights:
    """Return `rights` if every part of them can mean something. Raises InvalidRequestError otherwise."""
    for name, found, form, example in (
        ("models", rights.models, _MODEL, "deepseek-flash"),
        ("paths", tuple(_stem(path) for path in rights.paths or ()) or rights.paths, _PATH, "/v1/chat/*"),
    ):
        if found is not None and not 0 < len(found) <= SCOPES_MAX:
            raise InvalidRequestError(
                f"{name} has {len(found)} entries; write 1 to {SCOPES_MAX}, or leave it out", param=name
            )
        for entry in found or ():
            if not form.fullmatch(entry) or (name == "paths" and ".." in entry):
                raise InvalidRequestError(
                    f"{name}: '{entry[:60]}' cannot be; write e.g. {example}", param=name
                )
    if rights.environment is not None and not _ENVIRONMENT.fullmatch(rights.environment):
        raise InvalidRequestError(
            "an environment is 1 to 32 small letters, digits, - and _, e.g. production", param="environment"
        )
    if rights.expires_at_us is not None and rights.expires_at_us <= now_us:
        raise InvalidRequestError("the key would have expired already", param="expires")
    return rights


def within(asked: Rights, maker: Rights) -> Rights:
    """Return what `asked` names, and the maker's own scope where it names nothing.

    Raises ForbiddenError for what is wider than the maker's.
    """
    models = _within("models", asked.models, maker.models, lambda entry, own: entry in own)
    paths = _within("paths", asked.paths, maker.paths, _covered)
    for name, wanted, own in (
        ("environment", asked.environment, maker.environment),
        ("project", asked.project, maker.project),
    ):
        if own is not None and wanted not in (None, own):
            raise _wider(name, str(wanted), own)
    expires = asked.expires_at_us
    if maker.expires_at_us is not None:
        if expires is not None and expires > maker.expires_at_us:
            raise ForbiddenError(
                "the new key would outlive the key that makes it; let it expire sooner", code="wider_rights"
            )
        expires = maker.expires_at_us if expires is None else expires
    environment, project = asked.environment or maker.environment, asked.project or maker.project
    return Rights(models, paths, environment, project, expires, asked.draws_on)


def drawing_on(rights: Rights, key_id: str, maker: Rights) -> Rights:
    """Return `rights` spent out of the budget of `key_id`, too: else whoever has made a key has money anew.

    Raises ForbiddenError for a chain of makers that is too long.
    """
    draws_on = (key_id, *maker.draws_on)
    if len(draws_on) > MAKERS_MAX:
        raise ForbiddenError(
            f"this key draws on the budgets of {MAKERS_MAX} keys already; make the new one with one of those, e.g. {draws_on[-1]}",
            code="wider_rights",
        )
    return replace(rights, draws_on=draws_on)


def allows_path(paths: Sequence[str], path: str) -> bool:
    """Whether a scope holds the path of a request."""
    return any(path == scope or (scope.endswith("/*") and path.startswith(scope[:-1])) for scope in paths)


def _within(
    name: str,
    asked: tuple[str, ...] | None,
    maker: tuple[str, ...] | None,
    holds: Callable[[str, Sequence[str]], bool],
) -> tuple[str, ...] | None:
    if asked is None or maker is None:
        return asked if maker is None else maker
    for entry in asked:
        if not holds(entry, maker):
            raise _wider(name, entry, ", ".join(maker))
    return asked


def _covered(entry: str, own: Sequence[str]) -> bool:
    return entry in own or allows_path(own, _stem(entry))


def _stem(path: str) -> str:
    return path[:-1] if path.endswith("/*") else path


def _wider(name: str, wanted: str, own: str) -> ForbiddenError:
    return ForbiddenError(
        f"{name}: '{wanted[:60]}' is more than the key that makes it may ({own[:200]}); leave it out or ask an owner",
        param=name,
        code="wider_rights",
    )
