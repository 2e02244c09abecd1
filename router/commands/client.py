"""A gateway to talk to: the one that was named, the one that runs here, or one of our own for a while."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

from router.commands.keys import open_keys
from router.errors import InvalidRequestError, UnavailableError
from router.json_types import JsonObject, JsonValue
from router.server import running_gateway
from router.settings import Settings, client_defaults, load_settings

START_S = 120.0
ANSWER_S = 900.0


@dataclass(frozen=True, slots=True)
class GatewayClient:
    """An address and a key."""

    url: str
    key: str

    async def post(
        self, session: aiohttp.ClientSession, path: str, body: Mapping[str, JsonValue]
    ) -> tuple[int, JsonObject]:
        """POST JSON; return the status and the JSON that came back. Raises UnavailableError."""
        try:
            async with session.post(
                f"{self.url}{path}",
                data=orjson.dumps(body),
                headers={"authorization": f"Bearer {self.key}", "content-type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            ) as response:
                answer: JsonValue = orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(
                f"the gateway at {self.url} does not answer ({type(error).__name__})"
            ) from error
        except orjson.JSONDecodeError as error:
            raise UnavailableError(
                f"what answers at {self.url} is no gateway: it does not speak JSON"
            ) from error
        return response.status, answer if isinstance(answer, dict) else {}


@contextlib.contextmanager
def gateway_client(
    config: Path, team: str | None, url: str | None, key: str | None
) -> Iterator[GatewayClient]:
    """Give a client: for `url` and `key` (or STEELYARD_URL and STEELYARD_API_KEY), else for the
    gateway of `config`, which is started for as long as the client lives if it does not run.

    Without a key one is made for `team` and revoked at the end. Raises InvalidRequestError or
    UnavailableError.
    """
    known_url, known_key = client_defaults()
    url, key = url or known_url, key or known_key
    if url is not None:
        if key is None:
            raise InvalidRequestError("a gateway's address was given and no key; set STEELYARD_API_KEY")
        yield GatewayClient(url.rstrip("/"), key)
        return
    settings = load_settings(config)
    keys = open_keys(settings)
    stored, text = keys.create(_team(settings, team), "for one command")
    try:
        running = running_gateway(settings.data_dir)
        if running is not None:
            yield GatewayClient(running, text)
        else:
            with own_gateway(config) as own_url:
                yield GatewayClient(own_url, text)
    finally:
        keys.revoke(stored.key_id)
        keys.close()


@contextlib.contextmanager
def own_gateway(config: Path, log: Path | None = None) -> Iterator[str]:
    """Run a gateway of `config` on a free port; give its URL once it answers and its engines are up."""
    errors = log.open("wb") if log is not None else None
    child = subprocess.Popen(  # noqa: S603  (our own program)
        [sys.executable, "-m", "router.commands.main", "serve", "--config", str(config), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=errors if errors is not None else subprocess.DEVNULL,
        text=True,
    )
    try:
        line = child.stdout.readline() if child.stdout is not None else ""
        if not line:
            raise UnavailableError("the gateway did not start; `steelyard serve` says why")
        url = line.rsplit(" ", 1)[-1].strip()
        asyncio.run(_until_ready(url))
        yield url
    finally:
        child.terminate()
        child.wait()
        if errors is not None:
            errors.close()


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
        while True:
            async with session.get(f"{url}/readyz") as response:
                parts = orjson.loads(await response.read())["parts"]
                if response.status == 200:
                    return
            failed = [f"{name}: {state}" for name, state in parts.items() if state == "failed"]
            if failed:
                raise UnavailableError(
                    f"the gateway cannot answer ({', '.join(failed)}); is the model there? `steelyard local pull smollm2` gets it"
                )
            await asyncio.sleep(0.1)


def _team(settings: Settings, team: str | None) -> str:
    teams = list(settings.policies.teams)
    if team is None and len(teams) == 1:
        return teams[0]
    if team not in teams:
        what = "name a team with --team" if team is None else f"there is no policy for team '{team}'"
        raise InvalidRequestError(f"{what}; teams are {', '.join(teams)}")
    return team
