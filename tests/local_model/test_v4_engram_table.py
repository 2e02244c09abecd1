"""Tables of an Engram memory: on disk as in memory, rows kept, files that are not what they were."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from torch import Tensor

from local_model import load_model
from local_model.engram_rows import HotRows, RowsInMemory, RowsOnDisk
from local_model.engram_table import (
    HEADER_BYTES,
    ROWS_CHECKED,
    TableFile,
    no_number,
    row_bytes,
    table_path,
    unpacked,
    write_table,
)
from local_model.errors import CacheError, NoNativeStepError, WeightsError
from local_model.model import V4Model
from local_model.native_build import rows_library
from local_model.native_rows import NativeRowsOnDisk, rows_on_disk
from support.v4_engram import add_engram, random_rows
from support.v4_weights import SMALL, write_checkpoint

IDS = torch.randint(0, 96, (80,), generator=torch.Generator().manual_seed(6))
WIDTH = 32
SIZE = row_bytes(WIDTH)
ROWS = ROWS_CHECKED + 5000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, dict(SMALL), seed=41)
    add_engram(tmp_path, seed=42)
    return tmp_path


@pytest.fixture(scope="module")
def written() -> Tensor:
    return random_rows(ROWS, WIDTH, torch.Generator().manual_seed(7))


@pytest.fixture
def table(tmp_path: Path, written: Tensor) -> Path:
    path = tmp_path / "table"
    write_table(path, WIDTH, written.split(3001))  # type: ignore[no-untyped-call]  # torch has no types here
    return path


OnDisk: TypeAlias = Callable[[TableFile, int], NativeRowsOnDisk | RowsOnDisk]


@pytest.fixture
def native(builds: Path) -> OnDisk:
    """Skips where the system, or the folder of tests, has no direct reads."""
    library = rows_library(builds)
    return lambda file, cache_rows: _or_skip(file, cache_rows, library)


def _or_skip(file: TableFile, cache_rows: int, library: ctypes.CDLL) -> NativeRowsOnDisk:
    try:
        return NativeRowsOnDisk(file, cache_rows, library=library)
    except OSError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["native", "the reference"])
def on_disk(request: pytest.FixtureRequest) -> OnDisk:
    """Both ways."""
    if request.param == "native":
        way: OnDisk = request.getfixturevalue("native")
        return way
    return RowsOnDisk


@pytest.mark.parametrize("cache_rows", [0, 1, 7, 100, 65_536])
def test_a_table_on_disk_gives_the_bits_of_one_in_memory(folder: Path, cache_rows: int) -> None:
    in_memory = load_model(folder, engram_in_memory=True)
    from_disk = load_model(folder, engram_cache_rows=cache_rows)
    expected, kept = in_memory.forward(IDS)
    logits, state = from_disk.forward(IDS)
    assert torch.equal(logits, expected)
    for token in IDS[:20].split(1):  # type: ignore[no-untyped-call]  # torch has no types here
        assert torch.equal(from_disk.forward(token, state)[0], in_memory.forward(token, kept)[0])
    assert "in memory, 28644 bytes" in in_memory.engram.lookup.about


def test_rows_come_back_as_they_were_written_in_any_order(
    on_disk: OnDisk, table: Path, written: Tensor
) -> None:
    wanted = torch.randint(0, ROWS, (40, 6), generator=torch.Generator().manual_seed(8))
    wanted[3:5] = wanted[0]
    file = TableFile(table, ROWS, WIDTH)
    for source in (RowsInMemory(file), on_disk(file, 50), on_disk(file, 0)):
        for _ in range(2):
            assert torch.equal(source.ask(wanted).result(), written[wanted])
    file.verify()


@pytest.mark.parametrize("block", [ROWS_CHECKED - 1, ROWS_CHECKED, ROWS_CHECKED + 1, ROWS])
def test_a_table_is_the_same_however_its_writer_cuts_it(
    table: Path, tmp_path: Path, written: Tensor, block: int
) -> None:
    pieces = [written[:0], *written.split(block), written[:0]]  # type: ignore[no-untyped-call]  # torch has no types here
    write_table(tmp_path / "other", WIDTH, pieces)
    assert (tmp_path / "other").read_bytes() == table.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="reads its own size in /proc")
def test_a_table_that_memory_has_no_room_for_is_refused_with_its_size(table: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from local_model.engram_table import TableFile\n"
        f"file = TableFile(Path(sys.argv[1]), {ROWS}, {WIDTH})\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 1_000_000, resource.RLIM_INFINITY))\n"
        "file.read_all()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(table)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f"{table} has rows of {ROWS * SIZE} bytes, which memory has no room for" in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system to forget a file's pages")
def test_rows_that_the_system_has_not_in_memory_are_read_too(
    on_disk: OnDisk, table: Path, written: Tensor
) -> None:
    descriptor = os.open(table, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    wanted = torch.randint(0, ROWS, (1500, 3), generator=torch.Generator().manual_seed(10))
    wanted[5] = torch.tensor([0, ROWS - 1, ROWS_CHECKED])
    source = on_disk(TableFile(table, ROWS, WIDTH), 64)
    for _ in range(3):
        assert torch.equal(source.ask(wanted).result(), written[wanted])
        assert torch.equal(source.ask(wanted[7:9].T).result(), written[wanted[7:9].T])


def test_rows_behind_the_end_of_a_file_that_shrank_are_named(
    on_disk: OnDisk, table: Path, written: Tensor
) -> None:
    source = on_disk(TableFile(table, ROWS, WIDTH), 0)
    end = HEADER_BYTES + 1000 * SIZE + 7
    os.truncate(table, end)
    rows = torch.arange(990, 1000)
    assert torch.equal(source.ask(rows).result(), written[rows])
    for count in (20, 1500):
        with pytest.raises(WeightsError, match=f"damaged: it ends at byte {end}, before byte {end}"):
            source.ask(torch.arange(990, 990 + count)).result()
    assert torch.equal(source.ask(rows).result(), written[rows])


def test_both_ways_keep_the_same_rows(native: OnDisk, table: Path, written: Tensor) -> None:
    """Where one is asked for at a time; of several, it hangs on which comes first."""
    sources = [way(TableFile(table, ROWS, WIDTH), 800) for way in (native, RowsOnDisk)]
    chance = torch.Generator().manual_seed(12)
    for wanted in torch.randint(0, 2000, (1500, 1), generator=chance):
        found = [source.ask(wanted).result() for source in sources]
        assert torch.equal(found[0], written[wanted])
        assert torch.equal(found[1], written[wanted])
        assert sources[0].counts == sources[1].counts
    assert sources[0].counts[0] > 300


def test_without_a_compiler_rows_are_read_one_by_one(
    table: Path,
    written: Tensor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NoNativeStepError, match=r"the native reader of tables must be built once"):
        rows_library()
    source = rows_on_disk(TableFile(table, ROWS, WIDTH), 64)
    assert isinstance(source, RowsOnDisk)
    assert "no C++ compiler is found" in caplog.text
    assert torch.equal(source.ask(torch.arange(90)).result(), written[:90])


def test_a_file_that_cannot_be_read_directly_is_read_through_the_cache(
    builds: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_model.native_rows.rows_library", lambda: rows_library(builds))
    file = TableFile(table, ROWS, WIDTH)
    table.unlink()
    with pytest.raises(OSError, match=r"no direct reads of .*table: No such file"):
        NativeRowsOnDisk(file, 64)
    assert isinstance(rows_on_disk(file, 64), RowsOnDisk)


def test_rows_that_are_kept_are_not_read_again_and_counted(folder: Path) -> None:
    model = load_model(folder)
    sources = list(model.engram.lookup.rows.values())
    model.forward(IDS)
    different = [rows.counts[1] for rows in sources]
    assert all(0 < rows <= 80 * 6 for rows in different)
    assert [rows.counts for rows in sources] == [(0, rows) for rows in different]
    model.forward(IDS)
    assert [rows.counts for rows in sources] == [(rows, rows) for rows in different]
    for layer in (0, 2):
        table_path(folder, layer).write_bytes(b"")
    model.forward(IDS)


def test_the_row_that_was_not_wanted_for_longest_goes_first() -> None:
    hot = HotRows(3, 1)

    def ask(number: int) -> bool:
        slots = hot.find(torch.tensor([number]))
        if slots[0] < 0:
            hot.keep(torch.tensor([number]), torch.tensor([[number]], dtype=torch.uint8))
            return False
        assert hot.rows[slots[0]].item() == number
        return True

    assert [ask(number) for number in (1, 2, 3, 1, 4, 1, 3, 2, 4)] == [
        False, False, False, True, False, True, True, False, False,
    ]  # fmt: skip
    assert (hot.hits, hot.misses, hot.capacity) == (3, 6, 3)


@pytest.mark.parametrize("capacity", [0, 1, 7, 8, 9, 64, 1000])
def test_a_row_that_is_found_is_the_one_that_was_kept(capacity: int) -> None:
    hot = HotRows(capacity, 2)
    chance = torch.Generator().manual_seed(9)
    assert hot.capacity == (capacity if capacity < 8 else capacity // 8 * 8)
    for _ in range(60):
        numbers = torch.randperm(200, generator=chance)[:45]
        slots = hot.find(numbers)
        here, missing = slots >= 0, (slots < 0).nonzero()[:, 0]
        assert hot.rows[slots[here]][:, 0].tolist() == numbers[here].tolist()
        hot.keep(numbers[missing], numbers[missing, None].expand(-1, 2).to(torch.uint8))
        kept = hot.find(numbers) >= 0
        assert int(kept.sum()) >= min(numbers.shape[0] // 4, hot.capacity)
    if capacity == 1000:
        assert kept.all()


@pytest.mark.parametrize("keep", [0, 20, HEADER_BYTES, HEADER_BYTES + 40 * SIZE, -1])
def test_a_truncated_table_is_refused(table: Path, keep: int) -> None:
    table.write_bytes(table.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"table is damaged: it .*; fetch it again"):
        TableFile(table, ROWS, WIDTH)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (0, "is no Engram table: it begins with"),
        (8, "is damaged: its header is not what was written"),
        (13, "is damaged: its header is not what was written"),
        (17, "is damaged: its header is not what was written"),
        (-9, "is damaged: its checksums are not what was written"),
        (-1, "is damaged: its checksums are not what was written"),
    ],
)
def test_a_flipped_bit_around_the_rows_is_refused(table: Path, at: int, said: str) -> None:
    flip(table, at)
    with pytest.raises(WeightsError, match=said):
        TableFile(table, ROWS, WIDTH)


@pytest.mark.parametrize(("row", "said"), [(17, "rows 0 to 65535"), (ROWS - 1, "rows 65536 to 70535")])
def test_a_flipped_bit_in_a_row_is_found_where_all_are_read(table: Path, row: int, said: str) -> None:
    flip(table, HEADER_BYTES + row * SIZE + 5)
    file = TableFile(table, ROWS, WIDTH)
    with pytest.raises(WeightsError, match=f"table is damaged: {said} are not what was written"):
        RowsInMemory(file)
    with pytest.raises(WeightsError, match=said):
        file.verify()


@pytest.mark.parametrize(("at", "byte"), [(9, b"\xff"), (9, b"\x7f"), (WIDTH, b"\xff"), (WIDTH, b"\xf7")])
def test_a_row_that_no_writer_wrote_is_refused_when_it_is_read(
    on_disk: OnDisk, table: Path, at: int, byte: bytes
) -> None:
    with table.open("r+b") as file:
        file.seek(HEADER_BYTES + 700 * SIZE + at)
        file.write(byte)
    source = on_disk(TableFile(table, ROWS, WIDTH), 10)
    source.ask(torch.tensor([699, 701])).result()
    with pytest.raises(WeightsError, match="row 700 holds something that is no number"):
        source.ask(torch.tensor([698, 700, 699])).result()


@pytest.mark.parametrize(
    ("rows", "width", "said"),
    [(ROWS + 1, WIDTH, "config.json makes it 70537 of 32"), (ROWS, 64, "has 70536 rows of 32 elements")],
)
def test_a_table_of_other_dimensions_is_refused(table: Path, rows: int, width: int, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        TableFile(table, rows, width)


def test_a_table_that_is_not_there_is_named(folder: Path) -> None:
    table_path(folder, 2).unlink()
    with pytest.raises(WeightsError, match=r"engram.2.table cannot be opened: No such file"):
        load_model(folder)


def test_a_table_that_shrinks_while_it_is_read_ends_the_pass_and_not_the_process(folder: Path) -> None:
    model: V4Model = load_model(folder, engram_cache_rows=0)
    _, state = model.forward(IDS)
    clone = state.clone()
    whole = table_path(folder, 2).read_bytes()
    with table_path(folder, 2).open("r+b") as file:
        file.truncate(HEADER_BYTES + 100)
    with pytest.raises(WeightsError, match=r"engram.2.table is damaged: it ends at byte 4196, before byte"):
        model.forward(IDS, state)
    for use in (lambda: model.forward(IDS, state), state.clone, lambda: state.cut(state.length)):
        with pytest.raises(CacheError, match="failed half-way; go on from a clone, or compute it anew"):
            use()
    table_path(folder, 2).write_bytes(whole)
    logits, _ = model.forward(IDS, clone)
    assert torch.equal(logits, model.forward(IDS, model.forward(IDS)[1])[0])


def test_every_element_at_the_largest_scale_is_a_number_and_beyond_it_is_not() -> None:
    for scale in (0, 127, 246, 247, 255):
        for byte in range(256):
            row = torch.full((1, SIZE), byte, dtype=torch.uint8)
            row[:, WIDTH:] = scale
            is_number = bool(unpacked(row, WIDTH).isfinite().all())
            assert (no_number(row, WIDTH) is None) == (is_number and scale <= 246)
    largest = torch.full((1, SIZE), 0x7E, dtype=torch.uint8)
    largest[:, WIDTH:] = 247
    assert not unpacked(largest, WIDTH).isfinite().any()


def test_rows_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    rows = torch.zeros(3, SIZE, dtype=torch.uint8)
    rows[1, 4] = 127
    with pytest.raises(ValueError, match=r"row 4 of .*table would hold something that is no number"):
        write_table(tmp_path / "table", WIDTH, (torch.zeros(3, SIZE, dtype=torch.uint8), rows))
    assert not (tmp_path / "table").exists()


def test_a_cache_of_less_than_no_rows_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="engram_cache_rows is -1"):
        load_model(folder, engram_cache_rows=-1)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x08
    path.write_bytes(data)
