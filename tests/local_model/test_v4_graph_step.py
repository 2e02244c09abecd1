"""A graph step is a forward pass of one token of each slot: any configuration, any past, cut, taken out, in company."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_model import load_model
from local_model.cache import ROLLBACK, SequenceState
from local_model.errors import CacheError
from local_model.graph_step import SMALLEST, GraphStep
from local_model.model import V4Model
from local_model.saved_state import load_state, save_state
from support.v4_configs import configs
from support.v4_devices import DEVICES, closeness
from support.v4_engram import add_engram
from support.v4_weights import SMALL, Config, write_checkpoint

FIVE = {
    **SMALL,
    "num_hidden_layers": 5,
    "layer_types": [
        "heavily_compressed_attention", "compressed_sparse_attention", "sliding_attention",
        "compressed_sparse_attention", "heavily_compressed_attention",
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(device: str, tmp_path_factory: pytest.TempPathFactory) -> V4Model:
    folder = tmp_path_factory.mktemp("five")
    write_checkpoint(folder, FIVE, seed=7)
    loaded: V4Model = load_model(folder, device)
    return loaded


def some_ids(count: int, seed: int = 3, vocabulary: int = 96) -> torch.Tensor:
    return torch.randint(0, vocabulary, (count,), generator=torch.Generator().manual_seed(seed))


def stepped(step: GraphStep, ids: torch.Tensor) -> torch.Tensor:
    """Logits of `ids` [T] behind the only slot, or of [T, B] behind all."""
    rows = ids if ids.dim() == 2 else ids[:, None]
    return torch.cat([step.step(row).clone() for row in rows])


def with_state(model: V4Model, state: SequenceState | None, capacity: int = 512) -> GraphStep:
    step = GraphStep(model, 1, capacity)
    if state is not None:
        step.put(0, state)
    return step


def assert_close(logits: torch.Tensor, expected: torch.Tensor, most: float | None = None) -> None:
    assert logits.shape == expected.shape
    limit = closeness(logits.device.type) if most is None else most
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= limit


def test_from_the_first_token_on(model: V4Model) -> None:
    ids = some_ids(150)
    assert_close(stepped(with_state(model, None), ids), model.forward(ids)[0])


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(config=configs(), seed=st.integers(0, 2**31), before=st.integers(0, 60), steps=st.integers(1, 40))
def test_any_configuration(
    device: str,
    tmp_path_factory: pytest.TempPathFactory,
    config: Config,
    seed: int,
    before: int,
    steps: int,
) -> None:
    folder = tmp_path_factory.mktemp("v4")
    write_checkpoint(folder, config, seed)
    model = load_model(folder, device)
    ids = some_ids(before + steps, seed, int(str(config["vocab_size"])))
    state = model.forward(ids[:before])[1] if before else None
    logits = stepped(with_state(model, state), ids[before:])
    assert_close(logits, model.forward(ids)[0][before:])


def test_in_company_each_slot_says_what_it_says_alone(model: V4Model) -> None:
    lengths = [0, 40, 7, 90, 33]
    step = GraphStep(model, len(lengths), 256)
    ids = some_ids(30 * len(lengths), 9).view(30, len(lengths))
    expected = []
    for slot, length in enumerate(lengths):
        before = some_ids(length, slot)
        if length:
            step.put(slot, model.forward(before)[1])
        expected.append(model.forward(torch.cat((before, ids[:, slot])))[0][length:])
    logits = stepped(step, ids).view(30, len(lengths), -1)
    assert_close(logits, torch.stack(expected, dim=1))
    assert step.lengths == [length + 30 for length in lengths]


def test_past_the_first_graph_a_longer_one_takes_over_and_the_indexer_chooses(model: V4Model) -> None:
    ids = some_ids(SMALLEST + 30)
    _, state = model.forward(ids[: SMALLEST - 30])
    expected, _ = model.forward(ids)
    logits = stepped(with_state(model, state, 4 * SMALLEST), ids[SMALLEST - 30 :])
    assert_close(logits, expected[SMALLEST - 30 :])


@pytest.mark.parametrize("back", [1, 3, 17, ROLLBACK])
def test_a_slot_that_was_cut_back_goes_on_as_if_nothing_had_been(model: V4Model, back: int) -> None:
    ids = some_ids(180)
    step = with_state(model, model.forward(ids[:90])[1])
    stepped(step, ids[90:])
    step.cut(0, 180 - back)
    other = (ids[-back:] + 1) % 96
    expected, _ = model.forward(torch.cat((ids[:-back], other)))
    assert_close(stepped(step, other), expected[-back:])


def test_a_cut_beyond_what_is_kept_is_refused(model: V4Model) -> None:
    step = with_state(model, model.forward(some_ids(90))[1])
    with pytest.raises(CacheError, match="a slot of 90 tokens can be cut back to 26 at the least, not to 25"):
        step.cut(0, 25)
    assert step.lengths == [90]


@pytest.mark.parametrize("back", [0, 20])
def test_a_slot_taken_out_goes_on_anywhere(model: V4Model, tmp_path: Path, device: str, back: int) -> None:
    ids = some_ids(220)
    step = with_state(model, model.forward(ids[:90])[1])
    stepped(step, ids[90:160])
    step.cut(0, 160 - back)
    state = step.take(0)
    stepped(step, (ids[:30] + 1) % 96)  # what was taken is a copy
    save_state(state, model.config, tmp_path / "state")
    read = load_state(model.config, tmp_path / "state", device)
    expected, _ = model.forward(ids)
    for kept in (state.clone(), read, state):
        kept.cut(130)
        assert_close(model.forward(ids[130:170], kept)[0], expected[130:170])
        assert_close(stepped(with_state(model, kept), ids[170:]), expected[170:])


def test_an_idle_slot_stays_as_it_is(model: V4Model) -> None:
    ids = some_ids(120)
    step = GraphStep(model, 2, 256)
    step.put(0, model.forward(ids[:60])[1])
    for number in range(70):
        step.step(ids[[0, number]], idle=[0])
    assert step.lengths == [60, 70]
    logits = stepped(step, torch.stack((ids[60:90], ids[70:100]), dim=1))
    assert_close(logits[0::2], model.forward(ids[:90])[0][60:])
    assert_close(logits[1::2], model.forward(ids[:100])[0][70:])


@pytest.mark.parametrize("lies", ["fp8", "fp4"])
@pytest.mark.parametrize("slots", [1, 3])
def test_quantised_as_stored_it_says_what_the_reference_says(
    device: str, tmp_path: Path, lies: str, slots: int
) -> None:
    ragged = {**FIVE, "hidden_size": 160, "q_lora_rank": 136, "moe_intermediate_size": 96, "o_lora_rank": 72}
    write_checkpoint(tmp_path, ragged, 5, quantized=lies)
    model = load_model(tmp_path, device)
    ids = some_ids(40 * slots).view(40, slots)
    step = GraphStep(model, slots, 64)
    logits = stepped(step, ids).view(40, slots, -1)
    for slot in range(slots):
        assert_close(logits[:, slot], model.forward(ids[:, slot])[0])


def test_bfloat16_is_as_far_from_float32_as_the_reference_in_bfloat16_is(device: str, tmp_path: Path) -> None:
    config = {**SMALL, "num_hidden_layers": 1, "layer_types": ["heavily_compressed_attention"]}
    write_checkpoint(tmp_path, config, 5)
    ids = some_ids(100)
    expected, _ = load_model(tmp_path, device).forward(ids)
    half = load_model(tmp_path, device, torch.bfloat16)
    theirs, _ = half.forward(ids)
    ours = stepped(with_state(half, None), ids)
    assert (ours - expected).norm() <= 1.2 * (theirs - expected).norm()


def test_a_state_loses_its_drafts_and_goes_on_without_them(device: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), seed=21, mtp=True)
    model = load_model(tmp_path, device)
    ids = some_ids(60)
    expected, _ = model.forward(ids)
    step = with_state(model, model.forward(ids[:30])[1])
    assert_close(stepped(step, ids[30:50]), expected[30:50])
    state = step.take(0)
    assert_close(model.forward(ids[50:], state)[0], expected[50:])
    with pytest.raises(CacheError, match="nothing can be drafted"):
        model.draft(1, state)


def test_what_does_not_fit_is_refused_and_nothing_is_done(model: V4Model) -> None:
    step = GraphStep(model, 1, 24)
    with pytest.raises(CacheError, match="a state of 25 tokens does not fit a slot of 24"):
        step.put(0, model.forward(some_ids(25))[1])
    stepped(step, some_ids(24))
    with pytest.raises(CacheError, match="slot 0 is full at 24 tokens"):
        step.step(torch.tensor([1]))
    with pytest.raises(ValueError, match="token 96 is not in the vocabulary"):
        step.step(torch.tensor([96]))
    with pytest.raises(ValueError, match=r"one token for each slot, not \[2\] for 1"):
        step.step(torch.tensor([1, 2]))
    assert step.lengths == [24]


@pytest.mark.parametrize(
    ("dtype", "has_engram", "said"),
    [(torch.float16, False, "not torch.float16"), (torch.float32, True, "has no Engram memory")],
)
def test_a_model_that_it_cannot_run_is_refused(
    tmp_path: Path, dtype: torch.dtype, has_engram: bool, said: str
) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 5)
    if has_engram:
        add_engram(tmp_path, seed=5)
    with pytest.raises(ValueError, match=said):
        GraphStep(load_model(tmp_path, dtype=dtype))
