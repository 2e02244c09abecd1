"""`steelyard policy lint`, `explain`, `test`: rules looked through, asked about, and held to cases."""

import typer

from router.commands.policy_cases import run_cases
from router.commands.policy_explain import explain_request
from router.commands.policy_lint import lint_files

app = typer.Typer(no_args_is_help=True, help="The rules: look through them, ask why, hold them to cases.")
app.command("lint", epilog="Example: steelyard policy lint --format json")(lint_files)
app.command(
    "explain", epilog="Example: steelyard policy explain request.json --team finance --label restricted"
)(explain_request)
app.command("test", epilog="Example: steelyard policy test policies/tests/finance.yaml")(run_cases)
