"""The five import names are ours: in the wheel, in an empty environment, and in this one.

`verifiers` is also a library on the package index, and two wheels that carry one name merge
silently in one environment (tried). Nothing here needs the network.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.sources import PACKAGES, ROOT, python_sources

_ASK = """
import importlib, importlib.metadata, json, sys
ours = importlib.metadata.distribution("steelyard")
print(json.dumps({
    "prefix": sys.prefix,
    "files": {name: importlib.import_module(name).__file__ for name in sys.argv[1:]},
    "record": [str(file) for file in ours.files],
    "commands": {entry.name: entry.value for entry in ours.entry_points},
    "distributions": [one.name for one in importlib.metadata.distributions()],
}))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an environment with nothing in it but our wheel says of itself."""

    prefix: Path
    files: dict[str, str]
    record: list[str]
    commands: dict[str, str]
    distributions: list[str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the pinned hatchling of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def carried(wheel: Path) -> frozenset[str]:
    """Every path in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an empty virtual environment, asked from a folder that holds none of our files."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    _run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python),
        "install", "--quiet", "--no-deps", "--no-index", str(wheel), cwd=folder,
    )  # fmt: skip
    answer = json.loads(_run(str(python), "-I", "-c", _ASK, *PACKAGES, cwd=folder))
    return Installed(**{**answer, "prefix": Path(answer["prefix"])})


def test_the_wheel_carries_the_five_names_and_nothing_else(carried: frozenset[str]) -> None:
    top = {path.partition("/")[0] for path in carried}

    assert top - {name for name in top if name.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_carries_every_module(carried: frozenset[str]) -> None:
    present = {str(source.path) for source in python_sources() if source.package in PACKAGES}

    assert {path for path in carried if path.endswith(".py")} == present


@pytest.mark.parametrize(
    "path",
    [
        *(f"{package}/py.typed" for package in PACKAGES),
        "ledger/migrations/env.py",
        "ledger/migrations/head.sql",
        "ledger/migrations/versions/0001_first.py",
        "ledger/migrations/versions/0002_changes.py",
        "router/state/migrations/env.py",
        "router/state/migrations/versions/0001_first.py",
    ],
)
def test_the_wheel_carries_what_is_read_at_run_time(carried: frozenset[str], path: str) -> None:
    assert path in carried


def test_the_wheel_carries_the_licence(carried: frozenset[str]) -> None:
    assert [path for path in carried if path.endswith(".dist-info/licenses/LICENSE")]


def test_each_name_is_imported_from_the_environment_that_holds_our_wheel_alone(installed: Installed) -> None:
    site_packages = {Path(file).parent.parent for file in installed.files.values()}

    assert installed.distributions == ["steelyard"]
    assert set(installed.files) == set(PACKAGES)
    assert len(site_packages) == 1
    assert site_packages.pop().is_relative_to(installed.prefix)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_installed_record_owns_the_name(installed: Installed, package: str) -> None:
    assert f"{package}/__init__.py" in installed.record


def test_the_wheel_installs_one_command(installed: Installed) -> None:
    assert installed.commands == {"steelyard": "router.commands.main:main"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_of_this_environment_has_the_name(package: str) -> None:
    owners = set(packages_distributions().get(package, []))
    spec = find_spec(package)

    assert owners <= {"steelyard"}, f"'{package}' is also installed by {owners}; remove that distribution"
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


def _run(*command: str, cwd: Path) -> str:
    """Give a command's output; fail the test with what it said if it does not end well."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}", pytrace=False
        )
    return done.stdout


def test_what_litellm_imports_has_the_versions_that_are_tested_together() -> None:
    versions = _pinned(ROOT / "constraints.txt")
    by_hash = _pinned(ROOT / "requirements-litellm-providers.txt")

    assert len(by_hash) >= 30
    assert {name: version for name, version in by_hash.items() if versions.get(name) != version} == {}


def _pinned(path: Path) -> dict[str, str]:
    pins = [line.removesuffix("\\").strip() for line in path.read_text().splitlines() if "==" in line]
    return {
        name.lower().replace("_", "-"): version for name, _, version in (pin.partition("==") for pin in pins)
    }


def test_a_wheel_with_the_native_step_is_its_platforms(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "built")
        )
    built = tmp_path / "local_model" / "native" / "built"
    built.mkdir()
    (built / "v4-plain-0.so").write_bytes(b"\x7fELF")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stem.endswith(sysconfig.get_platform().replace("-", "_").replace(".", "_"))
    with zipfile.ZipFile(wheel) as archive:
        assert "local_model/native/built/v4-plain-0.so" in archive.namelist()
