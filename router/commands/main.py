"""`steelyard`: every command, each in a file of its own."""

import typer

from router.commands import config, keys, local
from router.commands.demo import demo
from router.commands.extract import extract_files
from router.commands.quote import quote
from router.commands.report import EPILOG as REPORT_EPILOG
from router.commands.report import report
from router.commands.serve import serve
from router.commands.show import EPILOG as SHOW_EPILOG
from router.commands.show import show

app = typer.Typer(
    name="steelyard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An LLM gateway that lets a cheap model do a dear one's work, checks it, and keeps a ledger.",
)
app.command(epilog="Example: steelyard serve --config steelyard.yaml --port 8400")(serve)
app.command(
    "extract",
    epilog="Example: steelyard extract --schema invoice.schema.json --team finance invoices/*.txt > fields.jsonl",
)(extract_files)
app.command(epilog=REPORT_EPILOG)(report)
app.command(epilog=SHOW_EPILOG)(show)
app.command(epilog="Example: steelyard quote request.json --team finance")(quote)
app.command(epilog="Example: steelyard demo")(demo)
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
