"""`steelyard`: every command, each in a file of its own, which is loaded when the command is named."""

import sys
from collections.abc import Iterable

import typer

GROUPS = ("config", "policy", "keys", "teams", "projects", "members", "budgets", "local")
NAMES = ("serve", "extract", "report", "show", "outcome", "quote", "demo", *GROUPS)


def main() -> None:
    """Run the command line. Only the command that is named is loaded: the gateway is ready the sooner."""
    named = sys.argv[1:2]
    command_line(named if named and named[0] in NAMES else NAMES)()


def command_line(names: Iterable[str] = NAMES) -> typer.Typer:
    """The program with these commands."""
    app = typer.Typer(
        name="steelyard",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="An LLM gateway that lets a cheap model do a dear one's work, checks it, and keeps a ledger.",
    )
    app.callback()(_no_options)
    for name in names:
        _add(app, name)
    return app


def _no_options() -> None:
    """Keep the program a group of commands though it may hold one."""


def _add(app: typer.Typer, name: str) -> None:
    match name:
        case "serve":
            from router.commands.serve import EPILOG, serve

            app.command(epilog=EPILOG)(serve)
        case "extract":
            from router.commands.extract import EPILOG, extract_files

            app.command("extract", epilog=EPILOG)(extract_files)
        case "report":
            from router.commands.report import EPILOG, report

            app.command(epilog=EPILOG)(report)
        case "show":
            from router.commands.show import EPILOG, show

            app.command(epilog=EPILOG)(show)
        case "outcome":
            from router.commands.outcome import EPILOG, outcome

            app.command(epilog=EPILOG)(outcome)
        case "quote":
            from router.commands.quote import EPILOG, quote

            app.command(epilog=EPILOG)(quote)
        case "demo":
            from router.commands.demo import EPILOG, demo

            app.command(epilog=EPILOG)(demo)
        case _:
            app.add_typer(_group(name), name=name)


def _group(name: str) -> typer.Typer:
    """The commands of one group."""
    match name:
        case "config":
            from router.commands.config import app as group
        case "policy":
            from router.commands.policy import app as group
        case "keys":
            from router.commands.keys import app as group
        case "teams":
            from router.commands.teams import app as group
        case "projects":
            from router.commands.projects import app as group
        case "members":
            from router.commands.members import app as group
        case "budgets":
            from router.commands.budgets import app as group
        case "local":
            from router.commands.local import app as group
        case _:
            raise ValueError(f"there is no command '{name}'")
    return group


if __name__ == "__main__":
    main()
