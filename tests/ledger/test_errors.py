"""The errors' tree: all that the ledger raises is a LedgerError."""

import inspect

from ledger import errors
from support.tidy_failures import drawn_tree


def test_the_tree_draws_every_error_under_its_base() -> None:
    defined = {
        name: kind.__base__.__name__ if kind.__base__ is not Exception else None
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__base__ is not None
    }
    assert drawn_tree(errors.__doc__ or "") == defined


def test_whoever_catches_the_root_catches_them_all() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert len(kinds) == 6
    assert all(issubclass(kind, errors.LedgerError) for kind in kinds)
