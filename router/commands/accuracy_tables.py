"""How right each class of answers is, as a person reads it: what chance chose to be judged, and intervals."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.accuracy import EstimatedAccuracy
from router.commands.tables import count, plain, print_whole, words

METHOD = (
    "Estimated from answers that chance chose to be judged, each weighted by the inverse of its probability; "
    "95 % intervals. Verdicts on answers that looked doubtful are not among them."
)


def print_accuracies(console: Console, estimates: Sequence[EstimatedAccuracy]) -> None:
    """Print a table of the real ones and one of the simulated; nothing where nothing was sampled."""
    for simulated in (False, True):
        some = [each for each in estimates if each.simulated is simulated]
        if some:
            mark = (("SIMULATED  ", "bold yellow"),) if simulated else ()
            console.print()
            console.print(words(*mark, ("How right answers are", "bold")))
            print_whole(console, _table(some))
            console.print(Text(METHOD, "dim"))


def _table(estimates: Sequence[EstimatedAccuracy]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("team", "class", "says", "stage"):
        table.add_column(name, no_wrap=True)
    for name in ("right", "95 % interval", "of judged"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in estimates:
        table.add_row(
            plain(each.team),
            plain(each.task_class),
            each.source,
            each.stage,
            f"{each.share * 100:.1f} %",
            f"{each.low * 100:.0f}-{each.high * 100:.0f} %",
            f"{count(each.right)} of {count(each.judged)}",
        )
    return table
