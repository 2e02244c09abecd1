"""Mistakes that are easily made in the architecture, one at a time, to see that the tests would find them."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """In `local_model/FILE`, `old` becomes `new`."""

    file: str
    old: str
    new: str


MUTANTS = (
    Mutant("norms.py", "wide.square().mean(-1", "wide.abs().mean(-1"),
    Mutant("rotary.py", "even * cos - odd * sin", "even * cos + odd * sin"),
    Mutant("rotary.py", "sin = -sin", "sin = sin"),
    Mutant("rotary.py", "frequencies / yarn.factor * slow", "frequencies * slow"),
    Mutant("hyper_connections.py", "mix.transpose(-1, -2)", "mix"),
    Mutant("hyper_connections.py", "post = 2 * torch.sigmoid", "post = torch.sigmoid"),
    Mutant("hyper_connections.py", "torch.softmax(logits, dim=-1) + eps", "torch.softmax(logits, dim=-2) + eps"),
    Mutant("compressor.py", "gates = gates + self.ape", "gates = gates"),
    Mutant("compressor.py", "torch.cat((nothing, first[:-1]))", "first"),
    Mutant("compressor.py", "torch.arange(done, due, device=rows.device) * self.ratio", "torch.arange(done, due)"),
    Mutant("indexer.py", "torch.relu(", "torch.abs("),
    Mutant("indexer.py", "* weights[..., None]", "* weights.abs()[..., None]"),
    Mutant("indexer.py", "rotate(self.wq_b", "(lambda x, _: x)(self.wq_b"),
    Mutant("attention.py", "self.sinks.float()", "0 * self.sinks.float()"),
    Mutant("attention.py", "behind > own - self.config.window", "behind >= own - self.config.window"),
    Mutant("attention.py", "rotate(out, angles, back=True)", "rotate(out, angles)"),
    Mutant("attention.py", "unit_norm(queries, config.norm_eps)", "queries"),
    Mutant("moe.py", "scores + self.bias", "scores"),
    Mutant("moe.py", "weights = scores.gather(1, chosen)", "weights = torch.ones_like(chosen) / 2.0"),
    Mutant("moe.py", "gate = self.w1(x).clamp(max=self.limit)", "gate = self.w1(x)"),
    Mutant("moe.py", "self.w3(x).clamp(-self.limit, self.limit)", "self.w3(x).clamp(max=self.limit)"),
    Mutant("moe.py", "out + self.shared(x)", "out"),
    Mutant("model.py", "self.hyper_head(streams)", "streams.mean(1)"),
    Mutant("quantization.py", "both & 15, both >> 4", "both >> 4, both & 15"),
    Mutant("quantization.py", "self.weight.float() * scale", "self.weight.float() * scale.mean()"),
    Mutant("quantization.py", "repeat_interleave(FP8_BLOCK, 1)[:, :columns]", "repeat_interleave(FP8_BLOCK, 1)[:, -columns:]"),
    Mutant("quantization.py", "self.scale.float()[..., None]", "self.scale.float().flip(1)[..., None]"),
    Mutant("mtp.py", "rms_norm(embedded, self.enorm, eps)", "embedded"),
    Mutant("mtp.py", "rms_norm(streams, self.hnorm, eps)", "rms_norm(streams, self.enorm, eps)"),
    Mutant("mtp.py", "told[:, None] + before", "before"),
    Mutant("mtp.py", "position = state.length - 1", "position = state.length"),
    Mutant("mtp.py", "attention.take(x, state.drafts[0], first)", "attention.take(x, state.drafts[0], first + 1)"),
    Mutant("mtp.py", ".view(-1, *streams.shape[1:])[:-1]", ".view(-1, *streams.shape[1:])[1:]"),
    Mutant("mtp.py", "self.hyper_head(streams)", "streams.mean(1)"),
    Mutant("engram_hash.py", "(shift - 1) * self.heads : shift * self.heads", "0 : self.heads"),
    Mutant("engram_lookup.py", "torch.cat(grams).flip(1)", "torch.cat(grams)"),
    Mutant("engram_hash.py", "mixed ^ products", "mixed + products"),
    Mutant("engram_hash.py", " + self.offsets", ""),
    Mutant("engram_hash.py", "return [2 * int(number) + 1", "return [2 * int(number) - 1"),
    Mutant("engram_table.py", "scales[..., None]", "scales.flip(-1)[..., None]"),
    Mutant("native_rows.py", "rows = rows.contiguous()", "rows = rows.flip(0).contiguous()"),
    Mutant("engram.py", "said[:, :n], said[:, n:]", "said[:, 1:], said[:, :1]"),
    Mutant("engram.py", "self.q_weight * self.k_weight", "self.q_weight"),
    Mutant("engram.py", "torch.copysign(root, agreement)", "root"),
    Mutant("engram.py", "agreement.abs().clamp_min(SQUARE_LEAST).sqrt()", "agreement.abs()"),
    Mutant("engram.py", "* unit_norm(keys, self.norm_eps)", "* keys"),
    Mutant("engram.py", "agreement * width**-0.5", "agreement"),
    Mutant("engram_lookup.py", "self.token_map[torch.cat(tuple(pieces))]", "torch.cat(tuple(pieces))"),
    Mutant("engram_lookup.py", "self.token_map[self.config.pad_id].expand", "torch.tensor(self.config.pad_id).expand"),
    Mutant("engram_lookup.py", "torch.cat((pad, seen, new))", "torch.cat((seen, pad, new))"),
)  # fmt: skip
