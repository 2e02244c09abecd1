"""Engram: rows by hash, written into the streams as an independent numpy version writes them; state, company, drafts."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from local_model import load_model
from local_model.cache import ROLLBACK
from local_model.config import config_of
from local_model.decoding import decode_greedily
from local_model.engram_config import bucket_sizes
from local_model.engram_hash import EngramHash, multipliers_of
from local_model.engram_rows import RowSource
from local_model.errors import ConfigError, WeightsError
from local_model.model import CHUNK, V4Model
from local_model.norms import rms_norm
from local_model.saved_state import load_state, save_state
from support.v4_engram import ENGRAM, NaiveEngram, add_engram
from support.v4_weights import SMALL, write_checkpoint

CLOSE = 1e-5
LENGTH = CHUNK + 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engram")
    write_checkpoint(path, dict(SMALL), seed=31, mtp=True)
    add_engram(path, seed=32)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> V4Model:
    loaded: V4Model = load_model(folder, engram_cache_rows=304)
    return loaded


@pytest.fixture(scope="module")
def ids() -> Tensor:
    return torch.randint(0, 96, (LENGTH,), generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def naive(folder: Path, model: V4Model, ids: Tensor) -> Tensor:
    """Logits of one pass over all of `ids`, the memory being numpy's."""
    state = model.empty_state()
    streams = model.embed[ids][:, None].expand(-1, 4, -1)
    for number, (layer, part) in enumerate(zip(model.layers, state.layers, strict=True)):
        if number in (0, 2):
            streams = NaiveEngram.read(folder, number).written(streams, ids.tolist())
        streams = layer(streams, ids, part, 0)
    return model.head(rms_norm(model.hyper_head(streams), model.norm, model.config.norm_eps))


def test_the_rule_gives_the_rows_and_the_multipliers_of_the_released_model() -> None:
    assert [sum(sizes) for sizes in bucket_sizes(2, 3, 8, 16_000_000)] == [384_006_168, 384_016_682]
    assert multipliers_of(1, 4, 99_092, 0) == [
        76632096046245, 4839876093313, 35959672319349, 73987337458391,
    ]  # fmt: skip
    assert multipliers_of(14, 4, 99_092, 0) == [
        67716810739261, 51510806800915, 30921347202721, 82619226485591,
    ]  # fmt: skip


@pytest.mark.parametrize("layer", [0, 2])
def test_each_token_reads_the_rows_that_whole_numbers_give(folder: Path, ids: Tensor, layer: int) -> None:
    config = config_of(json.loads((folder / "config.json").read_text())).engram
    assert config is not None
    token_map = load_file(folder / "model.safetensors")["engram.token_map"].long()
    padded = torch.cat((token_map[2].expand(3), token_map[ids]))
    rows = EngramHash.of(config, layer, "cpu")(padded.unfold(0, 4, 1).flip(1))
    assert rows.tolist() == NaiveEngram.read(folder, layer).rows(ids.tolist())
    assert int(rows.max()) < config.rows(layer)


@pytest.mark.parametrize("step", [1, 3, 64, LENGTH])
def test_logits_are_those_of_plain_numpy_however_the_prompt_is_cut(
    model: V4Model, ids: Tensor, naive: Tensor, step: int
) -> None:
    state, parts = None, []
    for piece in ids.split(step):  # type: ignore[no-untyped-call]  # torch has no types here
        logits, state = model.forward(piece, state)
        parts.append(logits)
    assert_close(torch.cat(parts), naive)


def test_without_its_memory_the_model_says_something_else(model: V4Model, ids: Tensor, naive: Tensor) -> None:
    logits, _ = replace(model, engram=None).forward(ids)
    assert (logits - naive).abs().max() > 0.1 * naive.abs().max()


@pytest.mark.parametrize("back", [1, 2, 3, 17, ROLLBACK])
def test_a_state_that_was_cut_back_looks_back_on_what_is_left(
    model: V4Model, ids: Tensor, naive: Tensor, back: int
) -> None:
    _, state = model.forward(ids[:200])
    state.cut(200 - back)
    model.forward((ids[200 - back : 200] + 1) % 96, state)
    state.cut(200 - back)
    logits, _ = model.forward(ids[200 - back :], state)
    assert_close(logits, naive[200 - back :])


def test_a_clone_and_a_saved_state_look_back_too(
    model: V4Model, ids: Tensor, naive: Tensor, tmp_path: Path
) -> None:
    _, state = model.forward(ids[:2])
    save_state(state, model.config, tmp_path / "state")
    read, clone = load_state(model.config, tmp_path / "state"), state.clone()
    model.forward((ids[2:9] + 1) % 96, state)
    for kept in (read, clone):
        logits, _ = model.forward(ids[2:], kept)
        assert_close(logits, naive[2:])


def test_in_company_as_alone_to_the_bit(model: V4Model, ids: Tensor) -> None:
    pieces = [ids[:5], ids[40:180], ids[:1], ids[40:41]]
    together = model.forward_batch([(piece, None) for piece in pieces])
    for piece, (logits, _) in zip(pieces, together, strict=True):
        assert torch.equal(logits, model.forward(piece)[0])


def test_drafts_change_no_text_of_a_model_with_a_memory(model: V4Model, ids: Tensor) -> None:
    plain = decode_greedily(model, ids[:30], 120, uses_drafts=False)
    drafted = decode_greedily(model, ids[:30], 120)
    assert drafted.tokens == plain.tokens
    assert drafted.drafted > drafted.accepted


@pytest.mark.parametrize("quantized", ["fp8", "fp4"])
def test_a_quantised_memory_is_what_it_means(tmp_path: Path, ids: Tensor, quantized: str) -> None:
    for name, is_quantized in (("packed", True), ("plain", False)):
        write_checkpoint(tmp_path / name, dict(SMALL), seed=3, quantized=quantized)
        add_engram(tmp_path / name, seed=4, quantized=is_quantized)
    packed, plain = load_model(tmp_path / "packed"), load_model(tmp_path / "plain")
    meant = replace(
        plain.engram,
        layers={
            number: replace(
                layer, wkv=replace(layer.wkv, weight=packed.engram.layers[number].wkv.dense(torch.float32))
            )
            for number, layer in plain.engram.layers.items()
        },
    )
    assert_close(packed.forward(ids[:60])[0], replace(plain, engram=meant).forward(ids[:60])[0], 1e-6)


@dataclass
class Noting:
    """A source of rows that notes when it is asked and when its answer is taken."""

    source: RowSource
    layer: int
    said: list[tuple[str, int, int]] = field(default_factory=list)

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
        self.said.append(("asked", self.layer, rows.shape[0]))
        return _Noted(self, self.source.ask(rows), rows.shape[0])


class _Noted(Future[Tensor]):
    def __init__(self, source: Noting, found: "Future[Tensor]", tokens: int) -> None:
        super().__init__()
        self._source, self._found, self._tokens = source, found, tokens

    def result(self, timeout: float | None = None) -> Tensor:
        self._source.said.append(("taken", self._source.layer, self._tokens))
        return self._found.result(timeout)


def test_rows_are_asked_for_before_the_first_layer_and_a_piece_ahead(model: V4Model, ids: Tensor) -> None:
    said: list[tuple[str, int, int]] = []
    assert model.engram is not None
    lookup = model.engram.lookup
    rows = {number: Noting(source, number, said) for number, source in lookup.rows.items()}
    noting = replace(model, engram=replace(model.engram, lookup=replace(lookup, rows=rows)))
    _, state = noting.forward(ids)
    first, rest = CHUNK, LENGTH - CHUNK
    assert said == [
        ("asked", 0, first), ("asked", 2, first), ("asked", 0, rest), ("asked", 2, rest),
        ("taken", 0, first), ("taken", 2, first), ("taken", 0, rest), ("taken", 2, rest),
    ]  # fmt: skip
    said.clear()
    noting.forward(ids[:1], state)
    assert said == [("asked", 0, 1), ("asked", 2, 1), ("taken", 0, 1), ("taken", 2, 1)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layer_ids": [0, 3]}, r"engram.layer_ids is \[0, 3\]; it must name layers below 3, ascending"),
        ({"layer_ids": [2, 0]}, "ascending"),
        ({"layer_ids": []}, "ascending"),
        ({"layer_ids": "0"}, "engram.layer_ids is '0'; it must be a list"),
        ({"layer_ids": [0, True]}, "list of whole numbers"),
        ({"layer_ids": None}, "engram.layer_ids is missing"),
        ({"num_embeddings": [434, 607]}, r"num_embeddings is \[434, 607\]; the rule of the primes makes it \[434, 606\]"),
        ({"head_dim": 40}, "engram.head_dim is 40; rows have a scale for every 32 elements"),
        ({"max_ngram_size": 1}, "engram.max_ngram_size is 1; it must be a whole number from 2"),
        ({"vocab_size": 1 << 33}, "engram.vocab_size is 8589934592; it must be at most 4294967296"),
        ({"pad_token_id": 96}, "engram.pad_token_id is 96, which is not in the vocabulary of 96"),
        ({"compressed_vocab_size": 97}, "compressed_vocab_size is 97, more than the vocabulary of 96"),
        ({"kernel_size": 4}, "engram.kernel_size is a key that this runtime does not know"),
    ],
)  # fmt: skip
def test_a_memory_that_is_not_understood_is_refused(change: Mapping[str, object], said: str) -> None:
    engram = {key: value for key, value in {**ENGRAM, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=said):
        config_of({**SMALL, "engram": engram})


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("engram.token_map", torch.full((96,), 70), "engram.token_map names an id outside 0 to 69"),
        ("layers.2.engram.wkv.weight", torch.zeros(320, 3), r"wkv.weight is \[320, 3\]; config.json makes it \[320, 384\]"),
        ("layers.0.engram.k_weight", None, "the tensor layers.0.engram.k_weight is missing"),
        ("layers.1.engram.k_weight", torch.zeros(4, 64), "no place, such as layers.1.engram.k_weight"),
    ],
)  # fmt: skip
def test_a_wrong_tensor_of_the_memory_is_named(
    tmp_path: Path, name: str, change: Tensor | None, said: str
) -> None:
    write_checkpoint(tmp_path, dict(SMALL), seed=31)
    add_engram(tmp_path, seed=32)
    tensors: dict[str, Tensor | None] = {**load_file(tmp_path / "model.safetensors"), name: change}
    save_file({k: v for k, v in tensors.items() if v is not None}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=said):
        load_model(tmp_path)


def test_the_rows_of_another_seed_are_others(folder: Path, ids: Tensor) -> None:
    said = json.loads((folder / "config.json").read_text())
    said["engram"]["seed"] = 1
    config = config_of(said).engram
    assert config is not None
    grams = (ids[:200] % 70).view(50, 4)
    rows = EngramHash.of(config, 2, "cpu")(grams)
    assert config.seed == 1
    assert not torch.equal(rows, EngramHash.of(replace(config, seed=0), 2, "cpu")(grams))


def test_what_a_table_takes_of_memory_is_said(model: V4Model) -> None:
    assert model.engram is not None
    said = r"layer {} on disk, 304 rows kept in 24928 bytes(, read by way of \d+)?"
    assert re.fullmatch(f"Engram: {said.format(0)}, {said.format(2)}", model.engram.lookup.about)


def assert_close(logits: Tensor, expected: Tensor, tolerance: float = CLOSE) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= tolerance
