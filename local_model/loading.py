"""Puts a model together from a checkpoint's folder."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from local_model.attention import Attention
from local_model.checkpoint import Checkpoint
from local_model.compressor import Compressor
from local_model.config import LayerKind, V4Config, read_config
from local_model.engram import Engram, EngramLayer
from local_model.engram_config import EngramConfig
from local_model.engram_hash import EngramHash
from local_model.engram_lookup import EngramLookup
from local_model.engram_rows import RowsInMemory, RowSource, one_reader
from local_model.engram_table import TableFile, table_path
from local_model.engram_tokens import compressed_ids
from local_model.errors import ConfigError, WeightsError
from local_model.hyper_connections import HyperConnection, HyperHead
from local_model.indexer import Indexer
from local_model.layer import Layer
from local_model.model import V4Model
from local_model.moe import Expert, Moe
from local_model.mtp import Mtp
from local_model.names import drafts_among
from local_model.native_rows import rows_on_disk
from local_model.reference_rounding import rounded_index, rounded_row
from local_model.rotary import Rotary

_log = logging.getLogger(__name__)
Rounding = Callable[[Tensor], Tensor]
TOKENIZER = "tokenizer.json"
ENGRAM_CACHE_ROWS = 65_536
"""Rows of a table on disk that are kept in memory; of V4.1's, 264 bytes each, 18 MB a layer."""


def load_model(
    path: str | Path,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    engram_in_memory: bool = False,
    engram_cache_rows: int = ENGRAM_CACHE_ROWS,
    reference_rounding: bool = False,
) -> V4Model:
    """Load the checkpoint in the folder `path`. Plain weights become `dtype`, quantised ones stay as they lie.

    An Engram memory's tables are read whole if `engram_in_memory`, else row by row, at most `engram_cache_rows` rows of each
    kept in memory. `reference_rounding`: round rows and the index as DeepSeek's inference code does (eager torch only).

    Raises ConfigError for what config.json says, WeightsError for what is wrong with a tensor.
    """
    folder = Path(path)
    config = read_config(folder)
    if engram_cache_rows < 0:
        raise ValueError(f"engram_cache_rows is {engram_cache_rows}; it must be a whole number from 0")
    cache_rows = None if engram_in_memory else engram_cache_rows
    if reference_rounding and config.index_head_dim & (config.index_head_dim - 1):
        raise ConfigError(
            f"{folder / 'config.json'}: index_head_dim is {config.index_head_dim}; reference_rounding wants a power of two"
        )
    checkpoint = Checkpoint(folder, device, dtype)
    model = _Builder(config, checkpoint, cache_rows, rounds=reference_rounding).model()
    _log.info("%s: %s", folder, model.about_drafts)
    if model.engram is not None:
        _log.info("%s: %s", folder, model.engram.lookup.about)
    return model


class _Builder:
    def __init__(
        self, config: V4Config, checkpoint: Checkpoint, cache_rows: int | None, *, rounds: bool
    ) -> None:
        self._config = config
        self._from = checkpoint
        self._cache_rows = cache_rows
        self._rounds = rounds
        self._round_row = partial(rounded_row, rope_dim=config.rope_dim) if rounds else None
        self._round_index = rounded_index if rounds else None
        self._plain = Rotary(config, compressed=False)
        self._compressed = Rotary(config, compressed=True)

    def model(self) -> V4Model:
        config, source = self._config, self._from
        width = config.hidden_size
        has_mtp, about_drafts = drafts_among(source.beginning("mtp."))
        model = V4Model(
            config,
            source.rows("embed.weight", config.vocab_size, width),
            tuple(
                self._layer(f"layers.{number}.", kind, is_hashed=number < config.hash_layers)
                for number, kind in enumerate(config.layers)
            ),
            self._hyper_head(""),
            source.vector("norm.weight", width),
            source.matrix("head.weight", config.vocab_size, width),
            self._engram(config.engram) if config.engram else None,
            self._mtp("mtp.0.") if has_mtp else None,
            about_drafts,
            self._rounds,
        )
        left = [name for name in source.unused() if has_mtp or not name.startswith("mtp.")]
        if left:
            raise WeightsError(
                f"{source.folder} has {len(left)} tensors that config.json gives no place, such as {left[0]}"
            )
        return model

    def _mtp(self, at: str) -> Mtp:
        width, source = self._config.hidden_size, self._from
        return Mtp(
            source.matrix(f"{at}e_proj.weight", width, width),
            source.matrix(f"{at}h_proj.weight", width, width),
            source.vector(f"{at}enorm.weight", width),
            source.vector(f"{at}hnorm.weight", width),
            self._layer(at, LayerKind.WINDOW, is_hashed=False),
            self._hyper_head(at),
            source.vector(f"{at}norm.weight", width),
        )

    def _engram(self, config: EngramConfig) -> Engram:
        source = self._from
        if source.has("engram.token_map"):
            token_map = source.table("engram.token_map", self._config.vocab_size)
            if int(token_map.min()) < 0 or int(token_map.max()) >= config.ids:
                raise WeightsError(
                    f"{source.folder}: engram.token_map names an id outside 0 to {config.ids - 1}"
                )
        else:
            token_map = self._token_map_of_tokenizer(config).to(source.device)
        reader = one_reader()
        lookup = EngramLookup(
            config,
            token_map,
            {number: EngramHash.of(config, number, source.device) for number in config.layers},
            {number: self._engram_rows(config, number, reader) for number in config.layers},
        )
        return Engram(lookup, {number: self._engram_layer(config, number) for number in config.layers})

    def _token_map_of_tokenizer(self, config: EngramConfig) -> Tensor:
        path, vocab_size = self._from.folder / TOKENIZER, self._config.vocab_size
        if not path.exists():
            raise WeightsError(
                f"{path} is not there, and no tensor engram.token_map: one of them must say ids"
            )
        ids = compressed_ids(path)
        count = max(ids) + 1
        if count != config.ids or len(ids) > vocab_size or len(ids) <= config.pad_id:
            raise WeightsError(
                f"{path} has {len(ids)} tokens that make {count} compressed ids; config.json says {vocab_size} and"
                f" {config.ids}, and with another number all rows are others"
            )
        # Tokens without a text: none is ever written, and the pad token stands where nothing does.
        return torch.tensor(ids + [ids[config.pad_id]] * (vocab_size - len(ids)))

    def _engram_rows(self, config: EngramConfig, number: int, reader: ThreadPoolExecutor) -> RowSource:
        file = TableFile(table_path(self._from.folder, number), config.rows(number), config.width)
        return (
            RowsInMemory(file) if self._cache_rows is None else rows_on_disk(file, self._cache_rows, reader)
        )

    def _engram_layer(self, config: EngramConfig, number: int) -> EngramLayer:
        source, streams, width = self._from, self._config.streams, self._config.hidden_size
        at = f"layers.{number}.engram."
        return EngramLayer(
            source.matrix(f"{at}wkv.weight", (streams + 1) * width, config.columns * config.width),
            source.vector(f"{at}q_weight", streams, width),
            source.vector(f"{at}k_weight", streams, width),
            config.width,
            self._config.norm_eps,
        )

    def _layer(self, at: str, kind: LayerKind, *, is_hashed: bool) -> Layer:
        return Layer(
            self._from.vector(f"{at}attn_norm.weight", self._config.hidden_size),
            self._attention(f"{at}attn.", kind),
            self._hyper_connection(f"{at}hc_attn_"),
            self._from.vector(f"{at}ffn_norm.weight", self._config.hidden_size),
            self._moe(f"{at}ffn.", is_hashed=is_hashed),
            self._hyper_connection(f"{at}hc_ffn_"),
            self._config.norm_eps,
        )

    def _attention(self, at: str, kind: LayerKind) -> Attention:
        config, source = self._config, self._from
        width, head, rank = config.hidden_size, config.head_dim, config.q_lora_rank
        queries = config.heads * head
        ranks = config.o_groups * config.o_lora_rank
        rotary = self._plain if kind is LayerKind.WINDOW else self._compressed
        compressor = indexer = None
        if kind is LayerKind.HCA:
            compressor = self._compressor(
                f"{at}compressor.", head, config.hca_ratio, overlaps=False, rounded=self._round_row
            )
        elif kind is LayerKind.CSA:
            compressor = self._compressor(
                f"{at}compressor.", head, config.csa_ratio, overlaps=True, rounded=self._round_row
            )
            indexer = self._indexer(f"{at}indexer.")
        return Attention(
            config,
            source.matrix(f"{at}wq_a.weight", rank, width),
            source.vector(f"{at}q_norm.weight", rank),
            source.matrix(f"{at}wq_b.weight", queries, rank),
            source.matrix(f"{at}wkv.weight", head, width),
            source.vector(f"{at}kv_norm.weight", head),
            source.vector(f"{at}attn_sink", config.heads),
            source.matrix(f"{at}wo_a.weight", ranks, queries // config.o_groups),
            source.matrix(f"{at}wo_b.weight", width, ranks),
            rotary,
            compressor,
            indexer,
            self._round_row,
        )

    def _compressor(
        self, at: str, head: int, ratio: int, *, overlaps: bool, rounded: Rounding | None
    ) -> Compressor:
        config, source = self._config, self._from
        wide = 2 * head if overlaps else head
        return Compressor(
            source.matrix(f"{at}wkv.weight", wide, config.hidden_size),
            source.matrix(f"{at}wgate.weight", wide, config.hidden_size),
            source.vector(f"{at}ape", ratio, wide),
            source.vector(f"{at}norm.weight", head),
            ratio,
            config.norm_eps,
            self._compressed,
            rounded,
        )

    def _indexer(self, at: str) -> Indexer:
        config, source = self._config, self._from
        return Indexer(
            source.matrix(f"{at}wq_b.weight", config.index_heads * config.index_head_dim, config.q_lora_rank),
            source.matrix(f"{at}weights_proj.weight", config.index_heads, config.hidden_size),
            self._compressor(
                f"{at}compressor.",
                config.index_head_dim,
                config.csa_ratio,
                overlaps=True,
                rounded=self._round_index,
            ),
            config.index_heads,
            config.index_topk,
        )

    def _moe(self, at: str, *, is_hashed: bool) -> Moe:
        config, source = self._config, self._from
        table = bias = None
        if is_hashed:
            table = source.table(f"{at}gate.tid2eid", config.vocab_size, config.experts_per_token)
            if int(table.min()) < 0 or int(table.max()) >= config.experts:
                raise WeightsError(
                    f"{source.folder}: {at}gate.tid2eid names an expert outside 0 to {config.experts - 1}"
                )
        else:
            bias = source.vector(f"{at}gate.bias", config.experts)
        return Moe(
            source.matrix(f"{at}gate.weight", config.experts, config.hidden_size, dtype=torch.float32),
            bias,
            table,
            tuple(self._expert(f"{at}experts.{number}.") for number in range(config.experts)),
            self._expert(f"{at}shared_experts."),
            config.experts_per_token,
            config.routed_scaling,
        )

    def _expert(self, at: str) -> Expert:
        config, source = self._config, self._from
        size, width = config.expert_size, config.hidden_size
        return Expert(
            source.matrix(f"{at}w1.weight", size, width),
            source.matrix(f"{at}w2.weight", width, size),
            source.matrix(f"{at}w3.weight", size, width),
            config.swiglu_limit,
        )

    def _hyper_connection(self, at: str) -> HyperConnection:
        config, source = self._config, self._from
        streams = config.streams
        rows = (2 + streams) * streams
        return HyperConnection(
            source.vector(f"{at}fn", rows, streams * config.hidden_size),
            source.vector(f"{at}base", rows),
            source.vector(f"{at}scale", 3),
            streams,
            config.sinkhorn_iterations,
            config.hc_eps,
            config.norm_eps,
        )

    def _hyper_head(self, at: str) -> HyperHead:
        config, source = self._config, self._from
        return HyperHead(
            source.vector(f"{at}hc_head_fn", config.streams, config.streams * config.hidden_size),
            source.vector(f"{at}hc_head_base", config.streams),
            source.vector(f"{at}hc_head_scale", 1),
            config.hc_eps,
            config.norm_eps,
        )
