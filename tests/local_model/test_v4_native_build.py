"""The native step is built once; whatever prevents it is one sentence, and the reference goes on."""

from pathlib import Path

import pytest

from local_model import native_build
from local_model.errors import NoNativeStepError
from local_model.native_build import instruction_sets, native_library


def test_it_is_built_once(builds: Path) -> None:
    native_library(builds)
    before = {path: path.stat().st_mtime_ns for path in builds.iterdir()}
    native_library(builds)
    assert {path: path.stat().st_mtime_ns for path in builds.iterdir()} == before


def test_other_sources_are_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = native_build.file_name(native_build.STEP, instruction_sets()[0])
    for source in native_build.SOURCES.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes() + b"\n")
    monkeypatch.setattr(native_build, "SOURCES", tmp_path)
    assert native_build.file_name(native_build.STEP, instruction_sets()[0]) != before


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoNativeStepError, match=r"no C\+\+ compiler is found .* install one"):
        native_library(tmp_path / "builds")


def test_a_compiler_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'engine.cpp: unknown dialect' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(NoNativeStepError, match=r"could not build .*engine.cpp: .*unknown dialect"):
        native_library(tmp_path / "builds")
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "builds").write_text("")
    with pytest.raises(NoNativeStepError, match=r"cannot be built into .*name a folder"):
        native_library(tmp_path / "builds" / "here")


def test_a_build_that_was_damaged(tmp_path: Path) -> None:
    (tmp_path / native_build.file_name(native_build.STEP, instruction_sets()[0])).write_bytes(
        b"\x7fELF, and no more"
    )
    with pytest.raises(NoNativeStepError, match=r"cannot be loaded .* delete it"):
        native_library(tmp_path)


def test_a_wheels_build_needs_no_compiler(
    builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native_library(builds)
    monkeypatch.setattr(native_build, "BUILT", builds)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert native_library()._name == str(
        builds / native_build.file_name(native_build.STEP, instruction_sets()[0])
    )
    monkeypatch.setattr(native_build, "BUILT", tmp_path)
    with pytest.raises(NoNativeStepError, match=r"no C\+\+ compiler is found"):
        native_library()
