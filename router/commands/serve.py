"""`steelyard serve`: run the gateway until it is told to stop."""

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from router.commands.exit_codes import errors_as_sentences
from router.server import serve as run
from router.settings import CONFIG_NAME, load_settings
from router.transport import Transport

EPILOG = "Example: steelyard serve --config steelyard.yaml --port 8400"
Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]


def serve(
    config: Config = Path(CONFIG_NAME),
    host: Annotated[str | None, typer.Option(help="Listen here instead of server.host.")] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Listen here instead of server.port; 0 takes any free port.", min=0, max=65_535),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The certificate (PEM), instead of server.tls_cert.", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its private key (PEM), instead of server.tls_key.", metavar="FILE")
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front has TLS; so may this in the clear.")
    ] = False,
    until_stdin_ends: Annotated[
        bool, typer.Option("--until-stdin-ends", help="End with standard input, that is with who started it.")
    ] = False,
) -> None:
    """Run the gateway. JSON logs go to stderr; the address to stdout once it answers.

    Off this machine it speaks TLS, or a proxy in front does: keys never travel in the clear.

    It ends at SIGTERM or Ctrl-C, once what is in flight is answered and written.

    Exit codes: 0 it was told to end, 2 wrong usage or configuration, 3 it cannot start.
    """
    with errors_as_sentences():
        if until_stdin_ends:
            threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
        settings = load_settings(config, host=host, port=port)
        configured = settings.transport
        transport = Transport(
            tls_cert or configured.tls_cert,
            tls_key or configured.tls_key,
            behind_proxy or configured.behind_proxy,
        )
        run(replace(settings, transport=transport), _say)


def _say(url: str) -> None:
    sys.stdout.write(f"steelyard answers at {url}\n")
    sys.stdout.flush()


def _end_with_stdin() -> None:
    """End in order when nobody holds the other side of standard input any more, however they ended."""
    while os.read(
        sys.stdin.fileno(), 65_536
    ):  # not sys.stdin.read: its lock would trouble the interpreter's end
        continue
    os.kill(os.getpid(), signal.SIGTERM)
