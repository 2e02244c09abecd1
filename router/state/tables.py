"""The gateway's own tables. Money and its limits are the ledger's. Times in microseconds since 1970."""

from sqlalchemy import MetaData
from sqlmodel import Field, SQLModel

STATE_METADATA = MetaData()


class StateTable(SQLModel):
    """The base of the state's tables, so that they share one metadata and no other."""

    metadata = STATE_METADATA


class Organisation(StateTable, table=True):
    """Whose gateway this is: one row, made with the first owner."""

    __tablename__ = "organisation"

    name: str = Field(primary_key=True, max_length=128)
    created_at_us: int


class Team(StateTable, table=True):
    """A team: it has a policy, projects, keys and budgets. Closed, its keys open nothing."""

    __tablename__ = "team"

    name: str = Field(primary_key=True, max_length=64)
    created_at_us: int
    closed_at_us: int | None = None


class Project(StateTable, table=True):
    """A part of a team with keys and a budget of its own. Closed, its keys open nothing."""

    __tablename__ = "project"

    team: str = Field(primary_key=True, foreign_key="team.name", max_length=64)
    name: str = Field(primary_key=True, max_length=64)
    created_at_us: int
    closed_at_us: int | None = None


class Member(StateTable, table=True):
    """A person with a role: of the organisation without a team, else in that team."""

    __tablename__ = "member"

    member_id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=128)
    role: str = Field(max_length=16)
    """A router.state.roles.Role."""
    team: str | None = Field(default=None, foreign_key="team.name", max_length=64)
    created_at_us: int
    removed_at_us: int | None = None


class ApiKey(StateTable, table=True):
    """What a key is and may do; what opens it are its secrets."""

    __tablename__ = "api_key"

    key_id: str = Field(primary_key=True, max_length=64)
    team: str | None = Field(default=None, foreign_key="team.name", index=True, max_length=64)
    """None for the keys of owners and auditors, which cannot spend."""
    name: str = Field(max_length=128)
    created_at_us: int
    revoked_at_us: int | None = None
    project: str | None = Field(default=None, max_length=64)
    member_id: str | None = Field(default=None, foreign_key="member.member_id", max_length=64)
    """Whose key it is; None for the key of an application, which administers nothing."""
    environment: str | None = Field(default=None, max_length=32)
    models: str | None = None
    """A JSON list; None for all that the team may use."""
    paths: str | None = None
    """A JSON list; None for all."""
    expires_at_us: int | None = None
    draws_on: str | None = None
    """A JSON list of the keys out of whose budgets it spends besides its own; None for no other."""


class KeySecret(StateTable, table=True):
    """A text that opens a key, as its HMAC: the text itself is shown once and never stored.

    A key that was rotated has two until the older one expires.
    """

    __tablename__ = "key_secret"

    key_hmac: str = Field(primary_key=True, max_length=64)
    """HMAC-SHA256 under the pepper, hex."""
    key_id: str = Field(foreign_key="api_key.key_id", index=True, max_length=64)
    pepper_id: str | None = Field(default=None, max_length=16)
    """Which pepper; None for what the first release made."""
    hint: str = Field(max_length=16)
    """The text's last four characters, so that a person can tell keys apart."""
    created_at_us: int
    expires_at_us: int | None = None


class PendingChange(StateTable, table=True):
    """A change on its way into the ledger, which is another file: written with the change itself."""

    __tablename__ = "pending_change"

    change_id: str = Field(primary_key=True, max_length=64)
    fields: str
    """The `ledger.changes.Change`, as a JSON list."""
