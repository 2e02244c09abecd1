"""Engram in the native step: as the torch reference, which is held against numpy; company, state, rows that cannot be had."""

import ctypes
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from local_model import load_model
from local_model.cache import SequenceState
from local_model.engram_rows import RowSource
from local_model.engram_table import HEADER_BYTES, table_path
from local_model.errors import CacheError, WeightsError
from local_model.model import V4Model
from local_model.native_build import InstructionSet, instruction_sets, native_library
from local_model.native_step import TOKENS_FIRST, TOKENS_MAX, NativeStep
from support.v4_engram import ENGRAM, add_engram
from support.v4_weights import SMALL, write_checkpoint

CLOSE = 1e-5
IDS = torch.randint(0, 96, (TOKENS_MAX + 90,), generator=torch.Generator().manual_seed(5))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, dict(SMALL), seed=31)
    add_engram(tmp_path, seed=32)
    return tmp_path


@pytest.fixture
def model(folder: Path) -> V4Model:
    loaded: V4Model = load_model(folder, engram_cache_rows=304)
    return loaded


@pytest.mark.parametrize("instructions", instruction_sets(), ids=lambda each: each.name)
def test_a_prompt_then_steps_in_every_instruction_set(
    model: V4Model, builds: Path, instructions: InstructionSet
) -> None:
    native = NativeStep(model, 2, library=native_library(builds, instructions))
    expected, _ = model.forward(IDS)
    logits, state = native.forward(IDS[:-30])
    assert_close(logits, expected[:-30])
    assert_close(torch.cat([native.step([state], one) for one in IDS[-30:].split(1)]), expected[-30:])  # type: ignore[no-untyped-call]  # torch has no types here


def test_with_matrices_in_fp8(best: ctypes.CDLL, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), seed=3, quantized="fp8")
    add_engram(tmp_path, seed=4, quantized=True)
    model = load_model(tmp_path)
    assert_close(NativeStep(model, 2, library=best).forward(IDS[:60])[0], model.forward(IDS[:60])[0])


def test_in_bfloat16_it_is_as_far_from_float32_as_the_reference_is(best: ctypes.CDLL, tmp_path: Path) -> None:
    """One layer, hashed, so that no choice flips."""
    config = {**SMALL, "num_hidden_layers": 1, "layer_types": ["heavily_compressed_attention"]}
    write_checkpoint(tmp_path, config, seed=5)
    add_engram(tmp_path, seed=6, engram={**ENGRAM, "layer_ids": [0], "num_embeddings": [434]})
    expected, _ = load_model(tmp_path).forward(IDS[:100])
    half = load_model(tmp_path, dtype=torch.bfloat16)
    theirs, _ = half.forward(IDS[:100])
    ours, _ = NativeStep(half, 2, library=best).forward(IDS[:100])
    assert (ours - expected).norm() <= 1.2 * (theirs - expected).norm()


def test_in_company_and_in_pieces_the_bits_are_those_alone(best: ctypes.CDLL, model: V4Model) -> None:
    alone, together = NativeStep(model, 1, library=best), NativeStep(model, 2, library=best)
    prompts = [IDS[:530], IDS[40:41], IDS[100:177]]
    expected = [alone.forward(ids)[0] for ids in prompts]
    states = [SequenceState.empty(model.config) for _ in prompts]
    first = together.forward_batch([(ids[:1], state) for ids, state in zip(prompts, states, strict=True)])
    rest = together.forward_batch([(prompts[0][1:], states[0]), (prompts[2][1:], states[2])])
    assert torch.equal(torch.cat((first[0], rest[0])), expected[0])
    assert torch.equal(first[1], expected[1])
    assert torch.equal(torch.cat((first[2], rest[1])), expected[2])
    more = [together.step([state], ids[:1]) for state, ids in zip(states, prompts, strict=True)]
    again = [alone.forward(torch.cat((ids, ids[:1])), wanted=1)[0] for ids in prompts]
    assert torch.equal(torch.cat(more), torch.cat(again))


def test_from_disk_as_from_memory_to_the_bit(best: ctypes.CDLL, folder: Path, model: V4Model) -> None:
    in_memory = NativeStep(load_model(folder, engram_in_memory=True), 2, library=best)
    assert torch.equal(NativeStep(model, 2, library=best).forward(IDS)[0], in_memory.forward(IDS)[0])


@pytest.mark.parametrize("back", [1, 2, 3, 64])
def test_the_reference_and_the_native_step_go_on_from_each_other(
    best: ctypes.CDLL, model: V4Model, back: int
) -> None:
    native = NativeStep(model, 2, library=best)
    expected, _ = model.forward(IDS[:300])
    _, state = model.forward(IDS[:100])
    native.forward((IDS[100:200] + 1) % 96, state)
    clone = state.clone()
    state.cut(200 - back)
    clone.cut(200 - back)
    logits, _ = model.forward(IDS[200 - back : 300], state)
    found, _ = native.forward(IDS[200 - back : 300], clone)
    assert_close(found, logits)
    logits, state = native.forward(IDS[:200])
    assert_close(model.forward(IDS[200:300], state)[0], expected[200:])


@dataclass
class Noting:
    """A source of rows that notes how many it is asked for, and fails at the question `fails_at`."""

    source: RowSource
    fails_at: int = 1 << 30
    error: type[BaseException] = MemoryError
    asked: list[int] = field(default_factory=list)

    @property
    def about(self) -> str:
        """As the source says it."""
        return self.source.about

    @property
    def is_awaited(self) -> bool:
        """As the source has it."""
        return self.source.is_awaited

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Note the question, and ask."""
        self.asked.append(rows.shape[0])
        if len(self.asked) <= self.fails_at:
            return self.source.ask(rows)
        failed: Future[Tensor] = Future()
        failed.set_exception(self.error())
        return failed


def with_noting(model: V4Model, **of_noting: object) -> tuple[V4Model, Noting]:
    """The model with layer 2's rows noted."""
    assert model.engram is not None
    lookup = model.engram.lookup
    noting = Noting(lookup.rows[2], **of_noting)  # type: ignore[arg-type]  # each test says which
    engram = replace(model.engram, lookup=replace(lookup, rows={**lookup.rows, 2: noting}))
    return replace(model, engram=engram), noting


def test_the_rows_of_a_whole_batch_are_asked_for_at_once_and_a_pass_ahead(
    best: ctypes.CDLL, model: V4Model
) -> None:
    noted, noting = with_noting(model)
    native = NativeStep(noted, 2, library=best)
    states = [SequenceState.empty(model.config) for _ in range(3)]
    native.forward_batch([(IDS[:500], states[0]), (IDS[:40], states[1]), (IDS[:1], states[2])])
    native.step(states, IDS[:3])
    assert noting.asked == [TOKENS_FIRST, 541 - TOKENS_FIRST, 3]


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_fails_in_the_first_pass_leaves_the_states_as_they_were(
    best: ctypes.CDLL, model: V4Model, error: type[BaseException]
) -> None:
    noted, noting = with_noting(model, fails_at=1, error=error)
    native = NativeStep(noted, 2, library=best)
    _, state = native.forward(IDS[:70])
    with pytest.raises(error):
        native.step([state], IDS[70:71])
    noting.fails_at = 1 << 30
    assert torch.equal(native.step([state], IDS[70:71]), native.forward(IDS[:71], wanted=1)[0])


def test_what_fails_in_a_later_pass_marks_every_state_that_was_begun_and_no_other(
    best: ctypes.CDLL, model: V4Model
) -> None:
    noted, _ = with_noting(model, fails_at=1)
    native = NativeStep(noted, 2, library=best)
    begun, untouched = SequenceState.empty(model.config), SequenceState.empty(model.config)
    with pytest.raises(MemoryError):
        native.forward_batch([(IDS, begun), (IDS[:30], untouched)])
    with pytest.raises(CacheError, match="failed half-way"):
        native.step([begun], IDS[:1])
    expected, _ = NativeStep(model, 2, library=best).forward(IDS[:30])
    assert torch.equal(NativeStep(model, 2, library=best).forward(IDS[:30], untouched)[0], expected)


def test_a_table_that_shrinks_while_it_is_read_ends_the_pass_with_a_sentence(
    best: ctypes.CDLL, folder: Path
) -> None:
    native = NativeStep(load_model(folder, engram_cache_rows=0), 2, library=best)
    expected, _ = native.forward(IDS[:50])
    _, state = native.forward(IDS[:40])
    whole = table_path(folder, 2).read_bytes()
    with table_path(folder, 2).open("r+b") as file:
        file.truncate(HEADER_BYTES + 100)
    with pytest.raises(WeightsError, match=r"engram.2.table is damaged: it ends at byte 4196, before byte"):
        native.forward(IDS[40:50], state)
    table_path(folder, 2).write_bytes(whole)
    assert torch.equal(native.forward(IDS[40:50], state)[0], expected[40:])


def assert_close(logits: Tensor, expected: Tensor) -> None:
    assert logits.shape == expected.shape
    assert (logits - expected).abs().max() <= 2 * CLOSE * expected.abs().max()
