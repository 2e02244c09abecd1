"""Roles: what a member may do. The endpoints say for each path whose objects a role reaches."""

from enum import StrEnum


class Role(StrEnum):
    """What a member is, in the organisation or in one team."""

    OWNER = "owner"
    """Everything, of all teams."""
    ADMIN = "admin"
    """The keys, projects and budgets of one team."""
    AUDITOR = "auditor"
    """Reads reports, the ledger and who holds which rights, of all teams; changes nothing."""
    MEMBER = "member"
    """Own keys and own spend, in one team."""

    @property
    def in_team(self) -> bool:
        """Whether it is a role in one team, rather than in the organisation."""
        return self in (Role.ADMIN, Role.MEMBER)


class Reach(StrEnum):
    """Whose objects a role reaches at a path."""

    ALL = "all"
    TEAM = "own team"
    SELF = "own"
