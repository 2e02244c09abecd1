"""How commands print: one console, numbers as people read them, and quiet pipes.

Figures are rounded here and nowhere before. Into a pipe goes plain text of any width; a reader
that goes away (`| head`) ends the command without a word.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ledger.money import format_usd

PIPE_WIDTH = 100_000
"""Wider than any table: nothing is folded or cut where no terminal has a width."""


class _PipeConsole(Console):
    """A console that leaves a broken pipe to `quiet_pipe`."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704  (rich calls this while it handles the BrokenPipeError)


def stdout_console() -> Console:
    """A console on stdout: colours and the terminal's width on a terminal, plain text elsewhere."""
    terminal = sys.stdout.isatty()
    size = Console().size
    return _PipeConsole(
        force_terminal=None if terminal else False,
        width=size.width if terminal else PIPE_WIDTH,
        height=size.height,
        markup=False,
        highlight=False,
        emoji=False,
    )


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """End the command with 0, silently, when whoever reads stdout has gone.

    An OSError for a stdout that cannot be written (a full disk) is passed on.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
        raise typer.Exit(0) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _drop_stdout()
        raise


def _drop_stdout() -> None:
    """Let what is left in the buffer go nowhere, or Python's flush at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fitting_width(table: Table) -> int:
    """How many columns of a terminal the table takes if nothing in it is folded."""
    roomy = Console(width=PIPE_WIDTH, height=1)
    return Measurement.get(roomy, roomy.options, table).maximum


def print_whole(console: Console, table: Table) -> None:
    """Print a table unfolded: on a terminal too narrow for it, its lines run on rather than lose figures."""
    width = console.width
    console.width = max(width, fitting_width(table))  # one handed to `print` is cut to the console's
    console.print(table, soft_wrap=True)
    console.width = width


def plain(text: str) -> str:
    """Replace what a terminal would obey: names may come from a provider or a client."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def words(*parts: str | tuple[str, str]) -> Text:
    """Put a line together out of plain words and (words, style) pairs."""
    line = Text()
    for part in parts:
        said, style = part if isinstance(part, tuple) else (part, "")
        line.append(plain(said), style)
    return line


def usd(nano_usd: int) -> str:
    """Dollars, exact: "$0.0042"."""
    text = format_usd(nano_usd)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def count(number: int, noun: str = "") -> str:
    """A whole number with its thousands apart, and its noun in the right number: "1 request"."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short_count(number: int) -> str:
    """A large number in few figures: 1,234 but 12.3k and 4.6M."""
    if abs(number) < 10_000:
        return f"{number:,}"
    for size, unit in ((10**3, "k"), (10**6, "M")):
        if abs(number) < size * 1_000:
            return f"{number / size:.1f}{unit}"
    return f"{number / 10**9:,.1f}G"


def share(part: int, whole: int) -> str:
    """A part in per cent: "12.5 %"; "-" of nothing."""
    return f"{part / whole * 100:.1f} %" if whole else "-"


def interval(right: int, judged: int) -> str:
    """Wilson's 95 % interval of a share (Wilson 1927), in whole per cent: "64-93 %"."""
    z = 1.959964
    rate = right / judged
    middle = (rate + z * z / (2 * judged)) / (1 + z * z / judged)
    reach = z / (1 + z * z / judged) * sqrt(rate * (1 - rate) / judged + z * z / (4 * judged * judged))
    return f"{max(0.0, middle - reach) * 100:.0f}-{min(1.0, middle + reach) * 100:.0f} %"


def duration(microseconds: int) -> str:
    """A time that people can compare: "850 us", "12.3 ms", "1.20 s"."""
    if microseconds < 1_000:
        return f"{microseconds} us"
    if microseconds < 1_000_000:
        return f"{microseconds / 1_000:.1f} ms"
    return f"{microseconds / 1_000_000:,.2f} s"
