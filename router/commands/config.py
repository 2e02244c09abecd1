"""`steelyard config check`: read everything that a start would read, and say what is wrong."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.clock import system_clock
from ledger.prices import PriceBook
from policies.lint import lint
from router.commands.exit_codes import errors_as_sentences
from router.pricing import missing_prices
from router.settings import CONFIG_NAME, load_settings

app = typer.Typer(no_args_is_help=True, help="The configuration.")


@app.command(epilog="Example: steelyard config check --config steelyard.yaml")
def check(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Check the configuration, the policies and the prices, without starting anything."""
    with errors_as_sentences():
        settings = load_settings(config)
        prices = PriceBook(missing_prices(settings, PriceBook(), system_clock()))
        for route in settings.routes:
            prices.select(route.price_sku, system_clock(), 0)
        warnings = [warning for policy in settings.policies.teams.values() for warning in lint(policy)]
    for warning in warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(
        f"{config} is fine: {len(settings.routes)} routes, {len(settings.policies.teams)} teams"
        + (f", {len(warnings)} warnings" if warnings else "")
    )
