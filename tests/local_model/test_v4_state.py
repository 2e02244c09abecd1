"""A state is what a full pass would have: in pieces, cut back, cloned, saved, in company."""

from pathlib import Path

import pytest
import torch

from local_model import load_model
from local_model.cache import ROLLBACK, SequenceState
from local_model.errors import CacheError
from local_model.footprint import bytes_per_token
from local_model.model import CHUNK, V4Model
from local_model.saved_state import load_state, save_state
from support.v4_weights import SMALL, write_checkpoint

LENGTH = 200
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


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(0, 96, (LENGTH,), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def full(model: V4Model, ids: torch.Tensor) -> torch.Tensor:
    return model.forward(ids)[0]


@pytest.mark.parametrize("step", [1, 4, 17, 64, 199])
def test_in_pieces_as_in_one(model: V4Model, ids: torch.Tensor, full: torch.Tensor, step: int) -> None:
    state, parts = None, []
    for piece in ids.split(step):  # type: ignore[no-untyped-call]  # torch has no types here
        logits, state = model.forward(piece, state)
        parts.append(logits)
    assert_close(torch.cat(parts), full)


@pytest.mark.parametrize("back", [1, 2, 5, 17, 33, ROLLBACK])
def test_a_state_that_was_cut_back_goes_on_as_if_nothing_had_been(
    model: V4Model, ids: torch.Tensor, full: torch.Tensor, back: int
) -> None:
    _, state = model.forward(ids)
    state.cut(LENGTH - back)
    other = (ids[-back:] + 1) % 96
    model.forward(other, state)
    state.cut(LENGTH - back)
    logits, _ = model.forward(ids[-back:], state)
    assert_close(logits, full[-back:])


def test_a_cut_beyond_what_is_kept_is_refused(model: V4Model, ids: torch.Tensor) -> None:
    _, state = model.forward(ids)
    with pytest.raises(CacheError, match="can be cut back to 136 at the least, not to 135"):
        state.cut(LENGTH - ROLLBACK - 1)


def test_clones_share_what_is_finished_and_go_their_own_ways(
    model: V4Model, ids: torch.Tensor, full: torch.Tensor
) -> None:
    long = ids.repeat(6)
    _, state = model.forward(long[:1100])
    clone = state.clone()
    rows, copy = state.layers[1].compressor, clone.layers[1].compressor
    assert rows is not None
    assert copy is not None
    assert rows.rows.shared_pages(copy.rows) == 1100 // 4 // 128
    once, _ = model.forward(long[1100:1150], state)
    model.forward((long[1100:1150] + 1) % 96, clone)
    again, _ = model.forward(long[1150:1160], state)
    expected, _ = model.forward(long[:1160])
    assert_close(torch.cat((once, again)), expected[1100:])


def test_a_state_is_saved_and_read(
    model: V4Model, ids: torch.Tensor, full: torch.Tensor, tmp_path: Path
) -> None:
    _, state = model.forward(ids[:150])
    save_state(state, model.config, tmp_path / "state")
    read = load_state(model.config, tmp_path / "state")
    logits, _ = model.forward(ids[150:], read)
    assert torch.equal(logits, model.forward(ids[150:], state)[0])
    read.cut(160)
    assert_close(model.forward(ids[160:], read)[0], full[160:])


def test_a_broken_or_foreign_state_is_refused(model: V4Model, ids: torch.Tensor, tmp_path: Path) -> None:
    _, state = model.forward(ids)
    path = tmp_path / "state"
    save_state(state, model.config, path)
    write_checkpoint(tmp_path / "other", {**FIVE, "sliding_window": 9}, seed=7)
    with pytest.raises(CacheError, match="another model"):
        load_state(load_model(tmp_path / "other").config, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CacheError, match="holds no state"):
        load_state(model.config, path)


def test_in_company_as_alone_to_the_bit(model: V4Model, ids: torch.Tensor) -> None:
    _, begun = model.forward(ids[:70])
    batch = [(ids[:5], None), (ids[70:], begun.clone()), (ids[:1], None)]
    alone = [model.forward(piece, state.clone() if state else None)[0] for piece, state in batch]
    together = model.forward_batch([(piece, state.clone() if state else None) for piece, state in batch])
    for (logits, state), expected, (piece, _) in zip(together, alone, batch, strict=True):
        assert torch.equal(logits, expected)
        assert state.length in (piece.shape[0], LENGTH)


def test_bits_do_not_depend_on_where_a_long_prompt_is_cut(model: V4Model, ids: torch.Tensor) -> None:
    long = ids.repeat(8)
    whole, _ = model.forward(long)
    first, state = model.forward(long[:CHUNK])
    rest, _ = model.forward(long[CHUNK:], state)
    assert torch.equal(torch.cat((first, rest)), whole)


def test_a_states_growth_is_what_is_stated(model: V4Model, ids: torch.Tensor) -> None:
    _, state = model.forward(ids.repeat(4))
    before = _rows(state)
    model.forward(ids.repeat(4), state)
    assert (_rows(state) - before) / 800 == pytest.approx(bytes_per_token(model.config, 4), rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.tensor([1, 96]), "token 96 is not in the vocabulary of 96"),
        (torch.tensor([-1, 2]), "token -1 is not"),
        (torch.tensor([[1]]), r"not torch.int64 \[1, 1\]"),
        (torch.tensor([0.5]), "not torch.float32"),
        (torch.tensor([], dtype=torch.int64), r"\[0\]"),
    ],
)
def test_what_are_no_tokens_is_refused(model: V4Model, wrong: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        model.forward(wrong)


def _rows(state: SequenceState) -> int:
    parts = [part for layer in state.layers for part in (layer.compressor, layer.indexer) if part is not None]
    return sum(part.rows.count * next(part.rows.pages()).shape[1] * 4 for part in parts)


def assert_close(logits: torch.Tensor, expected: torch.Tensor) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= CLOSE
