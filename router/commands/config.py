"""`steelyard config check`: read everything that a start would read, and say what is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ledger.clock import system_clock
from ledger.prices import PriceBook
from policies.lint import lint
from policies.rule_lint import lint_rules
from router.commands.exit_codes import errors_as_sentences
from router.pricing import missing_prices
from router.settings import CONFIG_NAME, Settings, load_settings
from router.transport import refuse_unsafe

app = typer.Typer(no_args_is_help=True, help="The configuration.")


@app.command(epilog="Example: steelyard config check --config steelyard.yaml")
def check(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Check the configuration, the policies and the prices, without starting anything.

    A warning is something that is allowed and probably not meant.

    Exit codes: 0 it is fine, with warnings or without, 2 something in it is wrong, 3 a file cannot be read.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        refuse_unsafe(settings.host, settings.transport)
        prices = PriceBook(missing_prices(settings, PriceBook(), system_clock()))
        for route in settings.routes:
            prices.select(route.price_sku, system_clock(), 0)
        warnings = list(_warnings(settings))
        for warning in warnings:
            typer.echo(f"warning: {warning}")
        counted = (
            _count(len(settings.routes), "route"),
            _count(len(settings.policies.teams), "team"),
            *([_count(len(warnings), "warning")] if warnings else []),
        )
        typer.echo(f"{config} is fine: {', '.join(counted)}")


def _warnings(settings: Settings) -> Iterator[str]:
    for policy in settings.policies.teams.values():
        yield from map(str, lint(policy))
    yield from map(str, lint_rules(settings.policies, settings.route_facts))
    for name, engine in settings.engines.items():
        if not Path(engine.weights).is_file():
            yield (
                f"route '{name}' has no weights at {engine.weights}; `steelyard local pull smollm2` gets "
                "the default ones, and weights names others"
            )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
