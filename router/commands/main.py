"""`steelyard`: every command, each in a file of its own."""

import typer

from router.commands import config, keys, local
from router.commands.serve import serve

app = typer.Typer(
    name="steelyard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An LLM gateway that lets a cheap model do a dear one's work, checks it, and keeps a ledger.",
)
app.command(epilog="Example: steelyard serve --config steelyard.yaml --port 8400")(serve)
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line."""
    app()
