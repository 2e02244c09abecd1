"""What the admin API is sent and says: closed objects in, plain JSON out."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictStr

from ledger.changes import Change
from ledger.clock import to_datetime, to_us
from router.state.directory import Member, Project, Team
from router.state.keys import StoredKey
from router.state.register import OVERLAP_S
from router.state.rights import Rights
from router.state.roles import Role

Name = Annotated[StrictStr, Field(min_length=1, max_length=128)]
Json = dict[str, Any]


class Closed(BaseModel):
    """An object with the fields that it names and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Closed):
    """A team or a project to be made."""

    name: Name


class NewMember(Closed):
    """A person to be given a role; `team` for a role in one."""

    name: Name
    role: Role
    team: Name | None = None


class NewRole(Closed):
    """Another role for a member, in the same place."""

    role: Role
    reason: StrictStr = ""


class NewKey(Closed):
    """A key to be made. What is left out is the maker's own scope."""

    name: Annotated[StrictStr, Field(max_length=128)] = ""
    project: Name | None = None
    environment: StrictStr | None = None
    models: list[StrictStr] | None = None
    paths: list[StrictStr] | None = None
    expires_at: AwareDatetime | None = None

    @property
    def rights(self) -> Rights:
        """What is asked for."""
        return Rights(
            tuple(self.models) if self.models is not None else None,
            tuple(self.paths) if self.paths is not None else None,
            self.environment,
            self.project,
            to_us(self.expires_at) if self.expires_at is not None else None,
        )


class Rotation(Closed):
    """How long the old text opens the key beside the new one."""

    overlap_s: Annotated[int, Field(strict=True, ge=0)] = OVERLAP_S


class NewLimit(Closed):
    """A limit in US dollars, as text so that nothing is rounded; null lifts it."""

    amount_usd: StrictStr | None
    reason: StrictStr = ""


def team_json(team: Team) -> Json:
    """A team."""
    return {"team": team.name, "created_at": _time(team.created_at_us), "closed_at": _time(team.closed_at_us)}


def project_json(project: Project) -> Json:
    """A project."""
    return {
        "team": project.team,
        "project": project.name,
        "created_at": _time(project.created_at_us),
        "closed_at": _time(project.closed_at_us),
    }


def member_json(member: Member) -> Json:
    """A member."""
    return {
        "member_id": member.member_id,
        "name": member.name,
        "role": member.role.value,
        "team": member.team,
        "created_at": _time(member.created_at_us),
        "removed_at": _time(member.removed_at_us),
    }


def key_json(key: StoredKey, text: str | None = None) -> Json:
    """A key; its text only where it was made a moment ago."""
    rights = key.rights
    shown: Json = {
        "key_id": key.key_id,
        "team": key.team,
        "project": rights.project,
        "member_id": key.member_id,
        "name": key.name,
        "ends_in": key.hint,
        "environment": rights.environment,
        "models": rights.models,
        "paths": rights.paths,
        "draws_on": rights.draws_on,
        "created_at": _time(key.created_at_us),
        "expires_at": _time(rights.expires_at_us),
        "revoked_at": _time(key.revoked_at_us),
    }
    return shown if text is None else {**shown, "key": text}


def change_json(change: Change) -> Json:
    """A change of a key, a role, a limit or a policy."""
    said = {name: value for name, value in change._asdict().items() if name != "at_us"}
    return {**said, "at": _time(change.at_us)}


def _time(at_us: int | None) -> datetime | None:
    return to_datetime(at_us) if at_us is not None else None
