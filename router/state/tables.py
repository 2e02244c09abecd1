"""The gateway's own tables. Money and its limits are the ledger's."""

from sqlalchemy import MetaData
from sqlmodel import Field, SQLModel

STATE_METADATA = MetaData()


class StateTable(SQLModel):
    """The base of the state's tables, so that they share one metadata and no other."""

    metadata = STATE_METADATA


class Team(StateTable, table=True):
    """A team that has or had keys."""

    __tablename__ = "team"

    name: str = Field(primary_key=True, max_length=64)
    created_at_us: int


class ApiKey(StateTable, table=True):
    """A key, as its HMAC: the key itself is shown once and never stored."""

    __tablename__ = "api_key"

    key_id: str = Field(primary_key=True, max_length=64)
    team: str = Field(foreign_key="team.name", index=True, max_length=64)
    name: str = Field(max_length=128)
    key_hmac: str = Field(unique=True, max_length=64)
    """HMAC-SHA256 under the pepper, hex."""
    hint: str = Field(max_length=16)
    """The key's last four characters, so that a person can tell keys apart."""
    created_at_us: int
    revoked_at_us: int | None = None
