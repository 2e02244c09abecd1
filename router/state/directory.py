"""Who is who: the organisation, its teams, their projects, and the members with their roles."""

from dataclasses import dataclass

from ledger.ids import new_id
from router.errors import InvalidRequestError, NotFoundError
from router.state.file import StateFile
from router.state.roles import Role


@dataclass(frozen=True, slots=True)
class Team:
    """A team. Times in microseconds since 1970."""

    name: str
    created_at_us: int
    closed_at_us: int | None


@dataclass(frozen=True, slots=True)
class Project:
    """A part of a team."""

    team: str
    name: str
    created_at_us: int
    closed_at_us: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role; `team` is None for a role in the organisation."""

    member_id: str
    name: str
    role: Role
    team: str | None
    created_at_us: int
    removed_at_us: int | None


class Directory:
    """Reads and changes them in a state file."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._connection = file.connection

    def organisation(self) -> str | None:
        """The organisation's name; None before its first owner is made."""
        found = self._connection.execute("SELECT name FROM organisation").fetchone()
        return str(found[0]) if found is not None else None

    def found_organisation(self, name: str) -> None:
        """Give the organisation its name, once. A second call changes nothing."""
        _check_name("an organisation's", name, 128)
        with self._file.changing():
            if self.organisation() is None:
                self._connection.execute("INSERT INTO organisation VALUES (?, ?)", (name, self._file.clock()))
                self._file.note("created", "organisation", name)

    def teams(self) -> tuple[Team, ...]:
        """All teams, by name."""
        found = self._connection.execute("SELECT name, created_at_us, closed_at_us FROM team ORDER BY name")
        return tuple(Team(*row) for row in found)

    def team(self, name: str) -> Team:
        """One team, closed or not. Raises NotFoundError."""
        for team in self.teams():
            if team.name == name:
                return team
        raise NotFoundError(f"there is no team '{name[:64]}'", param="team")

    def create_team(self, name: str) -> Team:
        """Make a team, or open a closed one again."""
        _check_name("a team's", name, 64)
        if "," in name or "/" in name:
            raise InvalidRequestError("a team's name has no comma and no slash", param="team")
        with self._file.changing():
            made = self._connection.execute(
                "INSERT INTO team (name, created_at_us) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET closed_at_us = NULL WHERE closed_at_us IS NOT NULL",
                (name, self._file.clock()),
            )
            if made.rowcount != 1:
                raise InvalidRequestError(f"there is a team '{name}' already", param="team")
            self._file.note("created", "team", name, team=name)
        return self.team(name)

    def ensure_teams(self, names: "tuple[str, ...]") -> None:
        """Note the teams that policy files name, so that projects and members can belong to them."""
        known = {team.name for team in self.teams()}
        missing = [name for name in names if name not in known]
        if missing:
            with self._file.changing():
                self._connection.executemany(
                    "INSERT OR IGNORE INTO team (name, created_at_us) VALUES (?, ?)",
                    [(name, self._file.clock()) for name in missing],
                )

    def close_team(self, name: str, reason: str = "") -> None:
        """Close a team: its keys, and those of its members, open nothing any more. Raises NotFoundError."""
        with self._file.changing():
            changed = self._connection.execute(
                "UPDATE team SET closed_at_us = ? WHERE name = ? AND closed_at_us IS NULL",
                (self._file.clock(), name),
            )
            if changed.rowcount != 1:
                raise NotFoundError(f"there is no open team '{name[:64]}'", param="team")
            self._file.note("closed", "team", name, team=name, reason=reason)

    def projects(self, team: str | None = None) -> tuple[Project, ...]:
        """The projects of one team, or of all."""
        found = self._connection.execute(
            "SELECT team, name, created_at_us, closed_at_us FROM project "
            "WHERE ? IS NULL OR team = ? ORDER BY team, name",
            (team, team),
        )
        return tuple(Project(*row) for row in found)

    def project(self, team: str, name: str) -> Project:
        """One project, closed or not. Raises NotFoundError."""
        for project in self.projects(team):
            if project.name == name:
                return project
        raise NotFoundError(f"team '{team[:64]}' has no project '{name[:64]}'", param="project")

    def create_project(self, team: str, name: str) -> Project:
        """Make a project of an open team, or open a closed one again. Raises NotFoundError."""
        _check_name("a project's", name, 64)
        if "/" in name:
            raise InvalidRequestError("a project's name has no slash", param="project")
        if self.team(team).closed_at_us is not None:
            raise NotFoundError(f"there is no open team '{team[:64]}'", param="team")
        with self._file.changing():
            made = self._connection.execute(
                "INSERT INTO project (team, name, created_at_us) VALUES (?, ?, ?) "
                "ON CONFLICT (team, name) DO UPDATE SET closed_at_us = NULL WHERE closed_at_us IS NOT NULL",
                (team, name, self._file.clock()),
            )
            if made.rowcount != 1:
                raise InvalidRequestError(f"team '{team}' has a project '{name}' already", param="project")
            self._file.note("created", "project", f"{team}/{name}", team=team)
        return self.project(team, name)

    def close_project(self, team: str, name: str, reason: str = "") -> None:
        """Close a project: its keys open nothing any more. Raises NotFoundError."""
        with self._file.changing():
            changed = self._connection.execute(
                "UPDATE project SET closed_at_us = ? WHERE team = ? AND name = ? AND closed_at_us IS NULL",
                (self._file.clock(), team, name),
            )
            if changed.rowcount != 1:
                raise NotFoundError(f"team '{team[:64]}' has no open project '{name[:64]}'", param="project")
            self._file.note("closed", "project", f"{team}/{name}", team=team, reason=reason)

    def members(self) -> tuple[Member, ...]:
        """All members, oldest first."""
        found = self._connection.execute(
            "SELECT member_id, name, role, team, created_at_us, removed_at_us FROM member ORDER BY member_id"
        )
        return tuple(Member(row[0], row[1], Role(row[2]), *row[3:]) for row in found)

    def member(self, member_id: str) -> Member:
        """One member, removed or not. Raises NotFoundError."""
        for member in self.members():
            if member.member_id == member_id:
                return member
        raise NotFoundError(f"there is no member '{member_id[:64]}'", param="member_id")

    def add_member(self, name: str, role: Role, team: str | None) -> Member:
        """Give a person a role. Raises InvalidRequestError, NotFoundError for a team that is not there."""
        _check_name("a member's", name, 128)
        if role.in_team and team is None:
            raise InvalidRequestError(f"the role {role} is one in a team; name the team", param="team")
        if not role.in_team and team is not None:
            raise InvalidRequestError(
                f"the role {role} is one in the organisation; name no team", param="team"
            )
        if team is not None and self.team(team).closed_at_us is not None:
            raise NotFoundError(f"there is no open team '{team[:64]}'", param="team")
        now_us = self._file.clock()
        member_id = new_id("mem", now_us)
        with self._file.changing():
            self._connection.execute(
                "INSERT INTO member (member_id, name, role, team, created_at_us) VALUES (?, ?, ?, ?, ?)",
                (member_id, name, role.value, team, now_us),
            )
            self._file.note(
                "created", "member", member_id, team=team, after={"name": name, "role": role.value}
            )
        return self.member(member_id)

    def change_role(self, member_id: str, role: Role, reason: str = "") -> Member:
        """Give a member another role in the same place. Raises as `remove_member`."""
        member = self.active_member(member_id)
        if role.in_team is not member.role.in_team:
            where = "a team" if member.role.in_team else "the organisation"
            raise InvalidRequestError(
                f"{member_id} is a member of {where}, where there is no {role}; add a new member instead",
                param="role",
            )
        with self._file.changing():
            self._refuse_last_owner(member, role)
            self._connection.execute(
                "UPDATE member SET role = ? WHERE member_id = ?", (role.value, member_id)
            )
            before, after = {"role": member.role.value}, {"role": role.value}
            self._file.note(
                "set", "member", member_id, team=member.team, before=before, after=after, reason=reason
            )
        return self.member(member_id)

    def remove_member(self, member_id: str, reason: str = "") -> None:
        """Remove a member: their keys open nothing any more.

        Raises NotFoundError, InvalidRequestError for the last owner.
        """
        member = self.active_member(member_id)
        with self._file.changing():
            self._refuse_last_owner(member, None)
            self._connection.execute(
                "UPDATE member SET removed_at_us = ? WHERE member_id = ?", (self._file.clock(), member_id)
            )
            before = {"role": member.role.value}
            self._file.note("removed", "member", member_id, team=member.team, before=before, reason=reason)

    def active_member(self, member_id: str) -> Member:
        """One member who was not removed. Raises NotFoundError."""
        member = self.member(member_id)
        if member.removed_at_us is not None:
            raise NotFoundError(f"there is no member '{member_id[:64]}'", param="member_id")
        return member

    def _refuse_last_owner(self, member: Member, role: Role | None) -> None:
        owners = [each for each in self.members() if each.role is Role.OWNER and each.removed_at_us is None]
        if member.role is Role.OWNER and role is not Role.OWNER and len(owners) == 1:
            raise InvalidRequestError("this is the last owner; make another one first", param="member_id")


def _check_name(whose: str, name: str, characters_max: int) -> None:
    if not 0 < len(name) <= characters_max or not name.isprintable() or name != name.strip():
        raise InvalidRequestError(
            f"{whose} name has 1 to {characters_max} printable characters, and no space at its ends",
            param="name",
        )
