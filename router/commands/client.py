"""A gateway to talk to: the one that was named, the one that runs here, or one of our own for a while.

What is begun here ends here, however the command ends: by itself, by Ctrl-C, by SIGTERM or with its
terminal. The key is revoked, the gateway of our own stopped and waited for. Of a command that is
killed the gateway ends by itself, since its standard input does; the key stays, and nobody has it.
"""

import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import orjson

from router.commands.keys import open_keys
from router.errors import InvalidRequestError, NotFoundError, UnavailableError, UpstreamError
from router.json_types import JsonObject, JsonValue
from router.presence import gateway_lives
from router.providers.pool import Pool
from router.providers.target import Target
from router.server import running_gateway
from router.settings import Settings, client_defaults, load_settings

START_S = 120.0
STOP_S = 40.0
"""Longer than the gateway's own grace for requests in flight."""
ANSWER_S = 900.0
IN_FLIGHT = "ending what is in flight, so that its cost is known; Ctrl-C again drops it"
_ENDS = (signal.SIGTERM, signal.SIGHUP)
_SERVE = (sys.executable, "-m", "router.commands.main", "serve", "--port", "0", "--until-stdin-ends")


@dataclass(frozen=True, slots=True)
class GatewayClient:
    """An address and a key."""

    url: str
    key: str

    async def post(self, pool: Pool, path: str, body: Mapping[str, JsonValue]) -> tuple[int, JsonObject]:
        """POST JSON; return the status and the JSON that came back. Raises UnavailableError."""
        name = f"the gateway at {self.url}"
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        try:
            target = Target.of(name, "POST", f"{self.url}{path}", headers)
            response = await pool.send(target, orjson.dumps(body), total_s=ANSWER_S, idle_s=ANSWER_S)
            with contextlib.closing(response):
                answer: JsonValue = orjson.loads(await response.read())
        except orjson.JSONDecodeError as error:
            raise UnavailableError(
                f"what answers at {self.url} is no gateway: it does not speak JSON"
            ) from error
        except UpstreamError as error:
            raise UnavailableError(f"{name} does not answer: {error}") from error
        except ValueError as error:
            raise UnavailableError(str(error)) from error
        return response.status, answer if isinstance(answer, dict) else {}


@contextlib.contextmanager
def gateway_client(config: Path, team: str | None, url: str | None) -> Iterator[GatewayClient]:
    """Give a client: for `url` (or STEELYARD_URL) and the key in STEELYARD_API_KEY, else for the
    gateway of `config`, which is started for as long as the client lives if it does not run.

    For the latter a key is made for `team` and revoked at the end. Raises InvalidRequestError or
    UnavailableError.
    """
    known_url, known_key = client_defaults()
    address = url if url is not None else known_url
    if address is not None:
        yield _named_gateway(address, known_key, team)
        return
    settings = load_settings(config)
    with ending_in_order(), contextlib.closing(open_keys(settings)) as keys:
        stored, text = keys.create(_team(settings, team), "for one command")
        try:
            running = running_gateway(settings.data_dir) if gateway_lives(settings.data_dir) else None
            if running is not None:
                yield GatewayClient(running, text)
            else:
                with own_gateway(config) as own_url:
                    yield GatewayClient(own_url, text)
        finally:
            with contextlib.suppress(NotFoundError):  # somebody else revoked it meanwhile
                keys.revoke(stored.key_id)


@contextlib.contextmanager
def own_gateway(config: Path) -> Iterator[str]:
    """Run a gateway of `config` on a free port; give its URL once it answers and its engines are up.

    Its end is waited for. Raises UnavailableError with the gateway's own sentence if it does not start.
    """
    with ending_in_order(), tempfile.TemporaryFile() as log:
        child = subprocess.Popen(  # noqa: S603  (our own program)
            [*_SERVE, "--config", str(config)],
            stdin=subprocess.PIPE,  # it ends with it: we may be killed
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C in a terminal is for us; the gateway's end is ours to order
        )
        try:
            line = child.stdout.readline() if child.stdout is not None else ""
            if not line:
                raise UnavailableError(f"the gateway did not start: {_last_words(log)}")
            url = line.rsplit(" ", 1)[-1].strip()
            asyncio.run(_until_ready(url))
            yield url
        except KeyboardInterrupt:
            sys.stderr.write(f"steelyard: {IN_FLIGHT}\n")
            raise
        finally:
            _end(child)


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM and the end of the terminal do what Ctrl-C does: every `finally` runs, then we exit."""
    received: list[int] = []

    def leave(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so does a shell start what is to run behind
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)  # asyncio ends its tasks at this one, and at no other

    before = {number: signal.signal(number, leave) for number in _ENDS}
    try:
        yield
    except KeyboardInterrupt:
        if received:
            raise SystemExit(128 + received[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(child: "subprocess.Popen[str]") -> None:
    """Stop the gateway and wait for it; at a second Ctrl-C, or after STOP_S, without mercy.

    The ledger stands that: what was in flight is found at the next start and posted at its bound.
    """

    def kill(_number: int, _frame: FrameType | None) -> None:
        child.kill()

    before = {number: signal.signal(number, kill) for number in (*_ENDS, signal.SIGINT)}
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def _last_words(log: IO[bytes]) -> str:
    """The sentence with which the gateway ended."""
    log.seek(0)
    lines = [line.decode(errors="replace").strip() for line in log if line.strip()]
    return lines[-1].removeprefix("steelyard: ") if lines else "it said nothing"


async def _until_ready(url: str) -> None:
    """Wait for the local engines. Raises UnavailableError if nothing can answer."""
    try:
        async with contextlib.aclosing(Pool()) as pool, asyncio.timeout(START_S):
            target = Target.of("the gateway", "GET", f"{url}/readyz", {})
            while True:
                response = await pool.send(target, None, total_s=START_S, idle_s=START_S)
                with contextlib.closing(response):
                    parts: dict[str, str] = orjson.loads(await response.read())["parts"]
                if response.status == 200:
                    return
                bad = [
                    f"{name}: {state}"
                    for name, state in parts.items()
                    if state not in ("ok", "starting", "stopped")
                ]
                if bad:
                    raise UnavailableError(
                        f"the gateway cannot answer ({', '.join(bad)}); is the model there? `steelyard local pull smollm2` gets it"
                    )
                await asyncio.sleep(0.1)
    except (TimeoutError, UpstreamError) as error:
        raise UnavailableError(f"the gateway was not ready in {START_S:g} s") from error


def _named_gateway(url: str, key: str | None, team: str | None) -> GatewayClient:
    if key is None:
        raise InvalidRequestError("a gateway's address was given and no key; set STEELYARD_API_KEY")
    if team is not None:
        raise InvalidRequestError(
            "at a gateway by address the key says which team asks; leave out --team, or --url and STEELYARD_URL"
        )
    return GatewayClient(url.rstrip("/").removesuffix("/v1"), key)


def _team(settings: Settings, team: str | None) -> str:
    teams = list(settings.policies.teams)
    if team is None and len(teams) == 1:
        return teams[0]
    if team not in teams:
        what = "name a team with --team" if team is None else f"there is no policy for team '{team}'"
        raise InvalidRequestError(f"{what}; teams are {', '.join(teams)}")
    return team
