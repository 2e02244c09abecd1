"""V4 once more, to be trained: batches [B, T], padded behind, differentiable, float32.

The formulas are local_model's, which is what runs the result; tests hold both to the same logits. Sequences are at most as
long as the window, and all their compressed rows are seen, so the index is not computed here, nor trained: it chooses rows
only of documents beyond `index_topk * 4` tokens.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from local_model.config import LayerKind, V4Config
from local_model.hyper_connections import sinkhorn
from local_model.norms import rms_norm, unit_norm
from local_model.rotary import Rotary

EMBED_SIZE, SMALL = 0.5, 0.05
"""At the start: embeddings so large that what layers write does not drown them; what writes to the streams is small."""


class V4(nn.Module):
    """All weights by official name, but a layer's experts stacked: `experts.w1` [E, I, D]."""

    def __init__(self, config: V4Config, seed: int) -> None:
        super().__init__()
        self.config = config
        random = torch.Generator().manual_seed(seed)
        width, streams = config.hidden_size, config.streams
        self.embed = nn.Parameter(torch.randn(config.vocab_size, width, generator=random) * EMBED_SIZE)
        self.head = nn.Parameter(torch.zeros(config.vocab_size, width))
        self._stack = [_Layer(config, kind, number, random) for number, kind in enumerate(config.layers)]
        self.layers = nn.ModuleList(self._stack)
        self.hc_head_fn = nn.Parameter(torch.zeros(streams, streams * width))
        self.hc_head_base = nn.Parameter(torch.zeros(streams))
        self.hc_head_scale = nn.Parameter(torch.full((1,), 0.1))
        self.norm = nn.Parameter(torch.ones(width))

    def forward(self, ids: Tensor) -> Tensor:
        """What the head is to see, [B, T, D], of tokens [B, T]."""
        config = self.config
        streams = self.embed[ids.flatten()][:, None].repeat(1, config.streams, 1)  # [B T, n, D]
        for layer in self._stack:
            streams = layer(streams, ids)
        mixed = _unit_product(streams.flatten(1), self.hc_head_fn, config.norm_eps)
        pre = torch.sigmoid(mixed * self.hc_head_scale + self.hc_head_base) + config.hc_eps
        return rms_norm((pre[..., None] * streams).sum(1), self.norm, config.norm_eps).view(*ids.shape, -1)

    def logits(self, seen: Tensor) -> Tensor:
        """[..., D] to [..., vocabulary]."""
        return seen @ self.head.T

    def balance(self, rate: float) -> None:
        """Move each expert's bias against its load since the last call."""
        for layer in self._stack:
            layer.moe.balance(rate)

    def compile_parts(self) -> None:
        """Compile what is many small operations: the hyper-connections, half of all time without."""
        expand = torch.compile(_expand)
        for layer in self._stack:
            layer.expand = expand
            layer.attn_hc.compile()
            layer.ffn_hc.compile()

    def official(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor by its official name, as a checkpoint has it."""
        yield "embed.weight", self.embed
        yield "head.weight", self.head
        yield "norm.weight", self.norm
        for name in ("fn", "base", "scale"):
            yield f"hc_head_{name}", getattr(self, f"hc_head_{name}")
        for number, layer in enumerate(self._stack):
            for name, tensor in layer.official():
                yield f"layers.{number}.{name}", tensor


class _Layer(nn.Module):
    def __init__(self, config: V4Config, kind: LayerKind, number: int, random: torch.Generator) -> None:
        super().__init__()
        self.attn_norm = nn.Parameter(torch.ones(config.hidden_size))
        self.ffn_norm = nn.Parameter(torch.ones(config.hidden_size))
        self.attn_hc = _HyperConnection(config, 2 * number)
        self.ffn_hc = _HyperConnection(config, 2 * number + 1)
        self.attn = _Attention(config, kind, random)
        self.moe = _Moe(config, random, is_hashed=number < config.hash_layers)
        self.eps = config.norm_eps
        self.expand = _expand

    def forward(self, streams: Tensor, ids: Tensor) -> Tensor:
        x, post, mix = self.attn_hc(streams)
        out = self.attn(rms_norm(x, self.attn_norm, self.eps).view(*ids.shape, -1))
        streams = self.expand(out.flatten(0, 1), streams, post, mix)
        x, post, mix = self.ffn_hc(streams)
        return self.expand(self.moe(rms_norm(x, self.ffn_norm, self.eps), ids.flatten()), streams, post, mix)

    def official(self) -> Iterator[tuple[str, Tensor]]:
        yield "attn_norm.weight", self.attn_norm
        yield "ffn_norm.weight", self.ffn_norm
        for part, hyper in (("attn", self.attn_hc), ("ffn", self.ffn_hc)):
            for name in ("fn", "base", "scale"):
                yield f"hc_{part}_{name}", getattr(hyper, name)
        for name, tensor in self.attn.official():
            yield f"attn.{name}", tensor
        for name, tensor in self.moe.official():
            yield f"ffn.{name}", tensor


class _HyperConnection(nn.Module):
    """Begins near one residual stream: the sub-layer reads one of them and writes to all."""

    def __init__(self, config: V4Config, number: int) -> None:
        super().__init__()
        n = config.streams
        self.config = config
        self.fn = nn.Parameter(torch.zeros((2 + n) * n, n * config.hidden_size))
        base = torch.zeros((2 + n) * n)
        base[:n] = -4.0
        base[number % n] = 4.0
        base[2 * n :] = 5.0 * torch.eye(n).flatten()
        self.base = nn.Parameter(base)
        self.scale = nn.Parameter(torch.full((3,), 0.1))

    def forward(self, streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        config = self.config
        return _mixed(
            streams,
            self.fn,
            self.base,
            self.scale,
            config.sinkhorn_iterations,
            config.hc_eps,
            config.norm_eps,
        )


def _mixed(
    streams: Tensor, fn: Tensor, base: Tensor, scale: Tensor, iterations: int, hc_eps: float, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    n = streams.shape[1]
    mixed = _unit_product(streams.flatten(1), fn, eps)
    pre = torch.sigmoid(mixed[..., :n] * scale[0] + base[:n]) + hc_eps
    post = 2 * torch.sigmoid(mixed[..., n : 2 * n] * scale[1] + base[n : 2 * n])
    logits = (mixed[..., 2 * n :] * scale[2] + base[2 * n :]).view(-1, n, n)
    return (pre[..., None] * streams).sum(1), post, sinkhorn(logits, iterations, hc_eps)


def _expand(output: Tensor, streams: Tensor, post: Tensor, mix: Tensor) -> Tensor:
    own = post[..., None] * output[:, None]
    return own + (mix[..., None] * streams[:, :, None]).sum(1)


def _unit_product(x: Tensor, matrix: Tensor, eps: float) -> Tensor:
    return x @ matrix.T * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


class _Attention(nn.Module):
    frequencies: Tensor

    def __init__(self, config: V4Config, kind: LayerKind, random: torch.Generator) -> None:
        super().__init__()
        self.config = config
        width, head, rank = config.hidden_size, config.head_dim, config.q_lora_rank
        queries, ranks = config.heads * head, config.o_groups * config.o_lora_rank
        self.wq_a = _matrix(random, rank, width)
        self.q_norm = nn.Parameter(torch.ones(rank))
        self.wq_b = _matrix(random, queries, rank)
        self.wkv = _matrix(random, head, width)
        self.kv_norm = nn.Parameter(torch.ones(head))
        self.attn_sink = nn.Parameter(torch.zeros(config.heads))
        self.wo_a = _matrix(random, config.o_groups, config.o_lora_rank, queries // config.o_groups)
        self.wo_b = _matrix(random, width, ranks, small=True)
        self.compressor = self.indexer = None
        if kind is LayerKind.HCA:
            self.compressor = _Compressor(config, random, head, head, config.hca_ratio)
        elif kind is LayerKind.CSA:
            narrow = config.index_head_dim
            self.compressor = _Compressor(config, random, head, 2 * head, config.csa_ratio)
            self.index_wq_b = _matrix(random, config.index_heads * narrow, rank)
            self.index_weights = _matrix(random, config.index_heads, width)
            self.indexer = _Compressor(config, random, narrow, 2 * narrow, config.csa_ratio)
        self.register_buffer(
            "frequencies",
            Rotary(config, compressed=kind is not LayerKind.WINDOW).frequencies,
            persistent=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        config, (count, tokens) = self.config, x.shape[:2]
        heads, head = config.heads, config.head_dim
        angles = torch.arange(tokens, device=x.device)[:, None] * self.frequencies
        cos, sin = angles.cos(), angles.sin()
        latent = rms_norm(x @ self.wq_a.T, self.q_norm, config.norm_eps)
        queries = unit_norm((latent @ self.wq_b.T).view(count, tokens, heads, head), config.norm_eps)
        queries = _rotated(queries, cos[:, None], sin[:, None])
        rows = _rotated(rms_norm(x @ self.wkv.T, self.kv_norm, config.norm_eps), cos, sin)
        seen = None
        if self.compressor is not None and tokens >= self.compressor.ratio:
            finished = self.compressor(x, self.frequencies)
            own = torch.arange(tokens, device=x.device)[:, None]
            there = torch.arange(finished.shape[1], device=x.device) < (own + 1) // self.compressor.ratio
            seen = torch.cat((torch.arange(tokens, device=x.device) <= own, there), dim=1)
            rows = torch.cat((rows, finished), dim=1)
        out = self._attended(queries, rows, seen)
        out = _rotated(out, cos[:, None], -sin[:, None]).reshape(count, tokens, config.o_groups, -1)
        return torch.einsum("btgi,goi->btgo", out, self.wo_a).flatten(2) @ self.wo_b.T

    def _attended(self, queries: Tensor, rows: Tensor, seen: Tensor | None) -> Tensor:
        """Queries [B, T, H, d] over rows [B, K, d], those that are `seen` [T, K] or none that is later.

        A sink is one more row, before all others, whose key is its head's own. Where nothing but the order decides, one
        more query before all others lets each see its own row.
        """
        count, tokens, heads, head = queries.shape
        own = torch.eye(heads, device=rows.device)
        queries = torch.cat((queries, own.expand(count, tokens, -1, -1)), dim=-1).transpose(1, 2)
        sink = functional.pad(self.attn_sink * head**0.5, (head, 0)).expand(count, 1, -1)
        keys = torch.cat((sink, functional.pad(rows, (0, heads))), dim=1)[:, None].expand(-1, heads, -1, -1)
        values = functional.pad(rows, (0, heads, 1, 0))[:, None].expand(-1, heads, -1, -1)
        attend, scale = functional.scaled_dot_product_attention, head**-0.5
        if seen is None:
            out = attend(functional.pad(queries, (0, 0, 1, 0)), keys, values, is_causal=True, scale=scale)[
                :, :, 1:
            ]
        else:
            out = attend(
                queries, keys, values, attn_mask=functional.pad(seen, (1, 0), value=True), scale=scale
            )
        return out.transpose(1, 2)[..., :head]

    def official(self) -> Iterator[tuple[str, Tensor]]:
        for name in ("wq_a", "wq_b", "wkv", "wo_b"):
            yield f"{name}.weight", getattr(self, name)
        yield "wo_a.weight", self.wo_a.flatten(0, 1)
        yield "q_norm.weight", self.q_norm
        yield "kv_norm.weight", self.kv_norm
        yield "attn_sink", self.attn_sink
        if self.compressor is not None:
            for name, tensor in self.compressor.official():
                yield f"compressor.{name}", tensor
        if self.indexer is not None:
            yield "indexer.wq_b.weight", self.index_wq_b
            yield "indexer.weights_proj.weight", self.index_weights
            for name, tensor in self.indexer.official():
                yield f"indexer.compressor.{name}", tensor


class _Compressor(nn.Module):
    def __init__(self, config: V4Config, random: torch.Generator, head: int, wide: int, ratio: int) -> None:
        super().__init__()
        self.wkv = _matrix(random, wide, config.hidden_size)
        self.wgate = _matrix(random, wide, config.hidden_size)
        self.ape = nn.Parameter(torch.zeros(ratio, wide))
        self.norm = nn.Parameter(torch.ones(head))
        self.ratio, self.eps, self.overlaps = ratio, config.norm_eps, wide == 2 * head

    def forward(self, x: Tensor, frequencies: Tensor) -> Tensor:
        """All finished rows [B, T / ratio, d]."""
        due = x.shape[1] // self.ratio
        windows = x[:, : due * self.ratio]
        values = (windows @ self.wkv.T).view(len(x), due, self.ratio, -1)
        gates = (windows @ self.wgate.T).view(len(x), due, self.ratio, -1) + self.ape
        if self.overlaps:
            values, gates = _overlapped(values, 0.0), _overlapped(gates, -torch.inf)
        rows = rms_norm((values * gates.softmax(2)).sum(2), self.norm, self.eps)
        angles = torch.arange(due, device=x.device)[:, None] * self.ratio * frequencies
        return _rotated(rows, angles.cos(), angles.sin())

    def official(self) -> Iterator[tuple[str, Tensor]]:
        yield "wkv.weight", self.wkv
        yield "wgate.weight", self.wgate
        yield "ape", self.ape
        yield "norm.weight", self.norm


def _overlapped(windows: Tensor, before: float) -> Tensor:
    first, second = windows.chunk(2, dim=-1)
    nothing = torch.full_like(first[:, :1], before)
    return torch.cat((torch.cat((nothing, first[:, :-1]), dim=1), second), dim=2)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The last elements of `x` turned in neighbouring pairs."""
    plain, turning = x[..., : -2 * cos.shape[-1]], x[..., -2 * cos.shape[-1] :]
    even, odd = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1).flatten(-2)
    return torch.cat((plain, turned), dim=-1)


class _Moe(nn.Module):
    """Experts by score and bias, or by a table of token ids drawn at random."""

    table: Tensor | None
    bias: Tensor | None
    load: Tensor

    def __init__(self, config: V4Config, random: torch.Generator, *, is_hashed: bool) -> None:
        super().__init__()
        self.config = config
        width, size, experts = config.hidden_size, config.expert_size, config.experts
        self.gate = nn.Parameter(torch.randn(experts, width, generator=random) * width**-0.5)
        self.w1 = _matrix(random, experts + 1, size, width)
        self.w2 = _matrix(random, experts + 1, width, size, small=True)
        self.w3 = _matrix(random, experts + 1, size, width)
        scores = torch.rand(config.vocab_size, experts, generator=random)
        table = scores.topk(config.experts_per_token).indices if is_hashed else None
        self.register_buffer("table", table)
        self.register_buffer("bias", None if is_hashed else torch.zeros(experts))
        self.register_buffer("load", torch.zeros(experts), persistent=False)

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        """Tokens [N, D] whose ids are [N]; [N, D]."""
        limit, per_token = self.config.swiglu_limit, self.config.experts_per_token
        scores = functional.softplus(x @ self.gate.T).sqrt()
        if self.table is not None:
            chosen = self.table[ids]
        else:
            assert self.bias is not None  # noqa: S101  (one of the two is there)
            chosen = (scores.detach() + self.bias).topk(per_token).indices
        weights = scores.gather(1, chosen)
        weights = weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.config.routed_scaling
        order = chosen.flatten().argsort()
        counts = torch.bincount(chosen.flatten(), minlength=self.config.experts)
        self.load += counts
        tokens = order // per_token
        parts = []
        for number, part in enumerate(torch.split(x[tokens], counts.tolist())):
            gate = (part @ self.w1[number].T).clamp(max=limit)
            up = (part @ self.w3[number].T).clamp(-limit, limit)
            parts.append((functional.silu(gate) * up) @ self.w2[number].T)
        said = torch.cat(parts) * weights.flatten()[order, None]
        out = torch.zeros_like(x).index_add(0, tokens, said)
        gate = (x @ self.w1[-1].T).clamp(max=limit)
        up = (x @ self.w3[-1].T).clamp(-limit, limit)
        return out + (functional.silu(gate) * up) @ self.w2[-1].T

    def balance(self, rate: float) -> None:
        """Against the load since the last call: DeepSeek's balancing without a loss of its own."""
        if self.bias is not None:
            self.bias += rate * (self.load.mean() - self.load).sign()
        self.load.zero_()

    def official(self) -> Iterator[tuple[str, Tensor]]:
        yield "gate.weight", self.gate
        if self.table is not None:
            yield "gate.tid2eid", self.table
        elif self.bias is not None:
            yield "gate.bias", self.bias
        for name in ("w1", "w2", "w3"):
            *experts, shared = getattr(self, name)
            for number, tensor in enumerate(experts):
                yield f"experts.{number}.{name}.weight", tensor
            yield f"shared_experts.{name}.weight", shared


def _matrix(random: torch.Generator, *shape: int, small: bool = False) -> nn.Parameter:
    """Normal, of the size that keeps the size of what it is multiplied by; `small`: what writes to the streams."""
    return nn.Parameter(torch.randn(*shape, generator=random) * shape[-1] ** -0.5 * (SMALL if small else 1.0))
