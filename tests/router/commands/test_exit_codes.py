"""Every expected error ends a command with one sentence and the documented code."""

import errno

import pytest
import typer

from ledger.errors import LedgerBusyError, LedgerCorruptError, LedgerUnavailableError, MoneyError, PriceError
from local_model.errors import SettingsError, WeightsError
from policies.errors import DocumentError, RuleError
from router.commands.exit_codes import errors_as_sentences
from router.errors import ContextLengthError, InvalidRequestError, NotFoundError, UnavailableError
from router.providers.local.engine import EngineStartError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InvalidRequestError("wrong"), 2, "wrong"),
        (ContextLengthError("long"), 2, "long"),
        (DocumentError("no YAML", "a.yaml", 3), 2, "a.yaml line 3: no YAML"),
        (RuleError("no rule", "a.yaml", 3), 2, "a.yaml line 3: no rule"),
        (MoneyError("negative"), 2, "negative"),
        (PriceError("no price"), 2, "no price"),
        (NotFoundError("no key"), 1, "no key"),
        (UnavailableError("port in use"), 3, "port in use"),
        (LedgerBusyError("held"), 3, "held"),
        (LedgerCorruptError("broken"), 3, "broken"),
        (LedgerUnavailableError("no space"), 3, "no space"),
        (WeightsError("no weights"), 3, "no weights"),
        (SettingsError("no sense"), 3, "no sense"),
        (EngineStartError("no memory"), 3, "no memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 3, "/x/y: Permission denied"),
        (OSError(errno.EIO, "Input/output error"), 3, "Input/output error"),
        (TimeoutError(), 3, "TimeoutError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_an_error_is_a_sentence_with_a_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str
) -> None:
    with pytest.raises(SystemExit) as ended, errors_as_sentences():
        raise error
    assert ended.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("steelyard: ")
    assert err.count("\n") == 1
    assert said in err


def test_an_error_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), errors_as_sentences():
        raise ZeroDivisionError


def test_the_code_that_a_command_chose_is_kept() -> None:
    with pytest.raises(typer.Exit) as ended, errors_as_sentences():
        raise typer.Exit(1)
    assert ended.value.exit_code == 1
