"""`steelyard`: every command, each in a file of its own."""

import typer

from router.commands import config, keys, local
from router.commands.demo import EPILOG as DEMO_EPILOG
from router.commands.demo import demo
from router.commands.extract import EPILOG as EXTRACT_EPILOG
from router.commands.extract import extract_files
from router.commands.quote import EPILOG as QUOTE_EPILOG
from router.commands.quote import quote
from router.commands.report import EPILOG as REPORT_EPILOG
from router.commands.report import report
from router.commands.serve import EPILOG as SERVE_EPILOG
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
app.command(epilog=SERVE_EPILOG)(serve)
app.command("extract", epilog=EXTRACT_EPILOG)(extract_files)
app.command(epilog=REPORT_EPILOG)(report)
app.command(epilog=SHOW_EPILOG)(show)
app.command(epilog=QUOTE_EPILOG)(quote)
app.command(epilog=DEMO_EPILOG)(demo)
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
