"""A member of a running gateway's team finance, or of its organisation, at the admin API."""

from copy import copy

from router.commands.state_file import office
from router.endpoints.admin.access import ADMIN
from router.settings import load_settings
from router.state.rights import ANY, Rights
from router.state.roles import Role
from support.gateway import Response, RunningGateway


class Console:
    """One member's key at the admin API."""

    def __init__(self, gateway: RunningGateway, role: Role, rights: Rights = ANY) -> None:
        self.gateway = gateway
        with office(load_settings(gateway.config)) as opened:
            team = "finance" if role.in_team else None
            member = opened.directory.add_member(role.value, role, team)
            self.member_id = member.member_id
            stored, self.text = opened.register.create(team, "", rights, member_id=member.member_id)
            self.key_id: str = stored.key_id

    def with_key(self, key_id: str, text: str) -> "Console":
        """The same member with another key of theirs."""
        other = copy(self)
        other.key_id, other.text = key_id, text
        return other

    def __call__(self, method: str, path: str, **body: object) -> Response:
        """Send one request."""
        headers = {"content-type": "application/json"}
        return self.gateway.request(
            method, ADMIN + path, key=self.text, body=body if method != "GET" else None, headers=headers
        )
