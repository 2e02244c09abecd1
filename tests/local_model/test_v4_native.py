"""A native step is a forward pass of one token: in every instruction set, alone and in company, on any state."""

import ctypes
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_model import load_model
from local_model.cache import ROLLBACK, SequenceState
from local_model.errors import CacheError
from local_model.model import V4Model
from local_model.native_build import InstructionSet, instruction_sets, native_library
from local_model.native_step import NativeStep
from local_model.packing import Kind
from support.v4_configs import configs
from support.v4_weights import SMALL, Config, write_checkpoint

CLOSE = 1e-5
FIVE = {
    **SMALL,
    "num_hidden_layers": 5,
    "layer_types": [
        "heavily_compressed_attention", "compressed_sparse_attention", "sliding_attention",
        "compressed_sparse_attention", "heavily_compressed_attention",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> V4Model:
    folder = tmp_path_factory.mktemp("five")
    write_checkpoint(folder, FIVE, seed=7)
    loaded: V4Model = load_model(folder)
    return loaded


@pytest.fixture
def native(model: V4Model, best: ctypes.CDLL) -> NativeStep:
    return NativeStep(model, 2, library=best)


def some_ids(count: int, seed: int = 3, vocabulary: int = 96) -> torch.Tensor:
    return torch.randint(0, vocabulary, (count,), generator=torch.Generator().manual_seed(seed))


def stepped(native: NativeStep, state: SequenceState, ids: torch.Tensor) -> torch.Tensor:
    return torch.cat([native.step([state], one) for one in ids.split(1)])  # type: ignore[no-untyped-call]  # torch has no types here


def assert_close(logits: torch.Tensor, expected: torch.Tensor, most: float = CLOSE) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= most


@pytest.mark.parametrize("instructions", instruction_sets(), ids=lambda each: each.name)
def test_from_the_first_token_on_in_every_instruction_set(
    model: V4Model, builds: Path, instructions: InstructionSet
) -> None:
    native = NativeStep(model, 2, library=native_library(builds, instructions))
    ids = some_ids(150)
    assert_close(stepped(native, native_state(model), ids), model.forward(ids)[0])


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(config=configs(), seed=st.integers(0, 2**31), before=st.integers(0, 60), steps=st.integers(1, 40))
def test_any_configuration(
    best: ctypes.CDLL,
    tmp_path_factory: pytest.TempPathFactory,
    config: Config,
    seed: int,
    before: int,
    steps: int,
) -> None:
    folder = tmp_path_factory.mktemp("v4")
    write_checkpoint(folder, config, seed)
    model = load_model(folder)
    ids = some_ids(before + steps, seed, int(str(config["vocab_size"])))
    state = model.forward(ids[:before])[1] if before else native_state(model)
    logits = stepped(NativeStep(model, 2, library=best), state, ids[before:])
    assert_close(logits, model.forward(ids)[0][before:])


def test_over_many_pages_and_moves_of_every_buffer(model: V4Model, native: NativeStep) -> None:
    ids = some_ids(1_400)
    expected, _ = model.forward(ids)
    _, state = model.forward(ids[:400])
    assert_close(stepped(native, state, ids[400:]), expected[400:], 2 * CLOSE)  # the worst of 1,000 positions
    assert state.length == 1_400
    more = some_ids(30, 8)
    whole, _ = model.forward(torch.cat((ids, more)))
    assert_close(model.forward(more, state)[0], whole[-30:], 2 * CLOSE)  # the reference goes on from there


@pytest.mark.parametrize("instructions", instruction_sets(), ids=lambda each: each.name)
def test_a_prompt_longer_than_a_pass_in_every_instruction_set(
    model: V4Model, builds: Path, instructions: InstructionSet
) -> None:
    native = NativeStep(model, 2, library=native_library(builds, instructions))
    ids = some_ids(1_300)
    logits, state = native.forward(ids)
    assert_close(logits, model.forward(ids)[0], 2 * CLOSE)  # the worst of 1,300 positions
    more = some_ids(30, 8)
    whole, _ = model.forward(torch.cat((ids, more)))
    assert_close(model.forward(more, state)[0], whole[-30:], 2 * CLOSE)  # the reference goes on from there


@pytest.mark.parametrize("plain", [Kind.F32, Kind.BF16, Kind.INT8], ids=lambda kind: kind.name)
def test_the_bits_hang_neither_on_where_a_prompt_is_cut_nor_on_the_company(
    model: V4Model, best: ctypes.CDLL, plain: Kind
) -> None:
    alone, together = NativeStep(model, 1, plain, best), NativeStep(model, 2, plain, best)
    prompts = [some_ids(length, length) for length in (530, 1, 77, 300, 9, 640)]
    expected = [stepped(alone, native_state(model), ids) for ids in prompts]
    states = [native_state(model) for _ in prompts]
    found: list[list[torch.Tensor]] = [[] for _ in prompts]
    generator, left = torch.Generator().manual_seed(5), list(range(len(prompts)))
    while left:
        batch = []
        for number in left:
            done = states[number].length
            take = int(torch.randint(1, 200, (1,), generator=generator))
            batch.append((prompts[number][done : done + take], states[number]))
        for number, logits in zip(left, together.forward_batch(batch), strict=True):
            found[number].append(logits)
        left = [number for number in left if states[number].length < len(prompts[number])]
    for logits, those in zip(expected, found, strict=True):
        assert torch.equal(torch.cat(those), logits)


@pytest.mark.parametrize("wanted", [0, 1, 5, 600, 2_000])
def test_logits_are_made_of_those_tokens_alone_that_are_asked_for(
    model: V4Model, native: NativeStep, wanted: int
) -> None:
    batch = [(some_ids(length, length), native_state(model)) for length in (700, 3, 600)]
    expected = native.forward_batch([(ids, native_state(model)) for ids, _ in batch])
    for logits, whole in zip(native.forward_batch(batch, wanted=wanted), expected, strict=True):
        assert torch.equal(logits, whole[max(0, len(whole) - wanted) :])


def test_behind_a_long_prompt_a_state_keeps_no_more_than_behind_a_short_one(
    model: V4Model, native: NativeStep
) -> None:
    ids = some_ids(512)
    at_once = native.forward(ids)[1]
    one_by_one = native_state(model)
    stepped(native, one_by_one, ids)
    assert at_once.nbytes <= one_by_one.nbytes
    more = some_ids(100, 8)
    assert torch.equal(stepped(native, at_once, more), stepped(native, one_by_one, more))


@pytest.mark.parametrize("back", [1, 3, 17, ROLLBACK])
def test_a_state_that_was_cut_back_goes_on_as_if_nothing_had_been(
    model: V4Model, native: NativeStep, back: int
) -> None:
    ids = some_ids(180)
    _, state = model.forward(ids[:90])
    stepped(native, state, ids[90:])
    state.cut(180 - back)
    other = (ids[-back:] + 1) % 96
    expected, _ = model.forward(torch.cat((ids[:-back], other)))
    assert_close(stepped(native, state, other), expected[-back:])


def test_a_clone_goes_its_own_way(model: V4Model, native: NativeStep) -> None:
    ids = some_ids(140)
    _, state = model.forward(ids[:100])
    stepped(native, state, ids[100:120])
    clone = state.clone()
    theirs = stepped(native, clone, (ids[120:] + 5) % 96)
    ours = stepped(native, state, ids[120:])
    assert_close(ours, model.forward(ids)[0][120:])
    assert_close(theirs, model.forward(torch.cat((ids[:120], (ids[120:] + 5) % 96)))[0][120:])


@pytest.mark.parametrize("plain", [Kind.F32, Kind.BF16, Kind.INT8], ids=lambda kind: kind.name)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_in_company_and_on_any_number_of_threads_the_bits_are_those_alone(
    model: V4Model, best: ctypes.CDLL, plain: Kind, threads: int
) -> None:
    alone = NativeStep(model, 1, plain, best)
    together = NativeStep(model, threads, plain, best)
    lengths = [1, 40, 7, 90, 33, 64, 12, 150, 5, 21, 77]
    first = [model.forward(some_ids(length, length))[1] for length in lengths]
    second = [state.clone() for state in first]
    for number in range(40):
        ids = some_ids(len(lengths), 1_000 + number)
        expected = torch.cat(
            [alone.step([state], one) for state, one in zip(first, ids.split(1), strict=True)]  # type: ignore[no-untyped-call]  # torch has no types here
        )
        assert torch.equal(together.step(second, ids), expected)


def test_quantised_as_stored_it_differs_by_the_rounding_of_what_it_multiplies_alone(
    best: ctypes.CDLL, tmp_path: Path
) -> None:
    """One layer, hashed, so that no choice flips."""
    config = {
        **SMALL, "hidden_size": 128, "moe_intermediate_size": 96, "num_hidden_layers": 1,
        "layer_types": ["sliding_attention"],
    }  # fmt: skip
    for lies, most in (("fp8", CLOSE), ("fp4", 0.02)):
        write_checkpoint(tmp_path / lies, config, 5, quantized=lies)
        model = load_model(tmp_path / lies)
        ids = some_ids(60)
        expected, _ = model.forward(ids)
        logits = stepped(NativeStep(model, 2, library=best), native_state(model), ids)
        assert ((logits - expected).abs().max() / expected.abs().max()).item() <= most


def test_bfloat16_is_as_far_from_float32_as_the_reference_in_bfloat16_is(
    best: ctypes.CDLL, tmp_path: Path
) -> None:
    config = {**SMALL, "num_hidden_layers": 1, "layer_types": ["heavily_compressed_attention"]}
    write_checkpoint(tmp_path, config, 5)
    ids = some_ids(100)
    expected, _ = load_model(tmp_path).forward(ids)
    half = load_model(tmp_path, dtype=torch.bfloat16)
    theirs, _ = half.forward(ids)
    ours = stepped(NativeStep(half, 2, library=best), native_state(half), ids)
    assert (ours - expected).norm() <= 1.2 * (theirs - expected).norm()


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (torch.tensor([96]), "token 96 is not in the vocabulary of 96"),
        (torch.tensor([-1]), "token -1"),
        (torch.tensor([1, 2]), r"one token for each state, not \[2\] for 1"),
        (torch.tensor([0.5]), "whole numbers"),
    ],
)
def test_what_is_no_token_is_refused_and_the_state_is_as_it_was(
    model: V4Model, native: NativeStep, ids: torch.Tensor, said: str
) -> None:
    _, state = model.forward(some_ids(20))
    with pytest.raises(ValueError, match=said):
        native.step([state], ids)
    assert state.length == 20


def test_one_state_twice_in_a_step_is_refused(model: V4Model, native: NativeStep) -> None:
    _, state = model.forward(some_ids(20))
    with pytest.raises(ValueError, match="one state is given twice"):
        native.step([state, state], torch.tensor([1, 2]))
    with pytest.raises(ValueError, match="one state is given twice"):
        native.forward_batch([(some_ids(600), state), (some_ids(600), state)])


def test_a_state_loses_its_drafts_and_goes_on_without_them(best: ctypes.CDLL, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), seed=21, mtp=True)
    drafting = load_model(tmp_path)
    ids = some_ids(60)
    expected, _ = drafting.forward(ids)
    _, state = drafting.forward(ids[:30])
    assert_close(stepped(NativeStep(drafting, 2, library=best), state, ids[30:50]), expected[30:50])
    assert_close(drafting.forward(ids[50:], state)[0], expected[50:])
    with pytest.raises(CacheError, match="nothing can be drafted"):
        drafting.draft(1, state)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hc_mult": 17}, "takes 16 residual streams, not 17"),
        ({"dtype": torch.float16}, "takes float32 and bfloat16, not torch.float16"),
    ],
)
def test_a_model_that_it_cannot_run_is_refused(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    config = {**SMALL, "hc_mult": changed.get("hc_mult", 4)}
    write_checkpoint(tmp_path, config, 5)
    dtype = torch.float16 if "dtype" in changed else torch.float32
    with pytest.raises(ValueError, match=said):
        NativeStep(load_model(tmp_path, dtype=dtype), 1)


def native_state(model: V4Model) -> SequenceState:
    return SequenceState.empty(model.config)
