"""Drafts: the MTP block's logits, a state that is one token behind, and texts that drafts do not change."""

import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from local_model import load_model
from local_model.cache import ROLLBACK
from local_model.decoding import decode_greedily
from local_model.errors import CacheError, WeightsError
from local_model.model import V4Model
from local_model.saved_state import load_state, save_state
from support.v4_weights import SMALL, write_checkpoint

CLOSE = 1e-5
LENGTH = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mtp")
    write_checkpoint(path, dict(SMALL), seed=21, mtp=True)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> V4Model:
    loaded: V4Model = load_model(folder)
    return loaded


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(0, 96, (LENGTH + 1,), generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def naive(folder: Path, model: V4Model, ids: torch.Tensor) -> torch.Tensor:
    return naive_drafts(load_file(folder / "model.safetensors"), streams_of(model, ids[:-1]), ids)


@pytest.mark.parametrize("step", [1, 3, 64, LENGTH])
def test_the_blocks_logits_are_those_of_plain_loops(
    model: V4Model, ids: torch.Tensor, naive: torch.Tensor, step: int
) -> None:
    state = model.empty_state()
    for piece in ids[:-1].split(step):  # type: ignore[no-untyped-call]  # torch has no types here
        model.forward(piece, state)
        logits = model.draft(int(ids[state.length]), state)
        assert_close(logits, naive[state.length - 1])


@pytest.mark.parametrize("back", [1, 2, 17, ROLLBACK])
def test_a_cut_cuts_the_drafts_state(
    model: V4Model, ids: torch.Tensor, naive: torch.Tensor, back: int
) -> None:
    _, state = model.forward(ids[:-1])
    model.draft(3, state)
    state.cut(LENGTH - back)
    model.forward((ids[LENGTH - back : LENGTH] + 1) % 96, state)
    state.cut(LENGTH - back)
    assert_close(model.draft(int(ids[state.length]), state), naive[state.length - 1])
    model.forward(ids[LENGTH - back : LENGTH], state)
    assert_close(model.draft(int(ids[LENGTH]), state), naive[-1])


def test_a_clone_and_a_saved_state_keep_the_drafts_state(
    model: V4Model, ids: torch.Tensor, naive: torch.Tensor, tmp_path: Path
) -> None:
    _, state = model.forward(ids[:100])
    save_state(state, model.config, tmp_path / "state")
    read, clone = load_state(model.config, tmp_path / "state"), state.clone()
    model.forward((ids[100:130] + 1) % 96, state)
    for kept in (read, clone):
        kept.cut(90)
        model.forward(ids[90:LENGTH], kept)
        assert_close(model.draft(int(ids[LENGTH]), kept), naive[-1])


@pytest.mark.parametrize("scale", [0.0, 0.15, 0.5, 1.0], ids=["always right", "mostly", "at times", "hardly"])
def test_drafts_change_no_text(folder: Path, tmp_path: Path, ids: torch.Tensor, scale: float) -> None:
    model = copying(folder, tmp_path, scale)
    plain = decode_greedily(model, ids[:20], 300, uses_drafts=False)
    drafted = decode_greedily(model, ids[:20], 300)
    assert drafted.tokens == plain.tokens
    assert len(plain.tokens) == 300
    assert plain.drafted == 0
    if scale == 0:
        assert drafted.accepted == drafted.drafted <= 150
    else:
        assert 0 <= drafted.accepted < drafted.drafted


def test_a_stop_token_ends_the_text_where_it_ends_without_drafts(
    folder: Path, tmp_path: Path, ids: torch.Tensor
) -> None:
    model = copying(folder, tmp_path, 0.0)
    whole = decode_greedily(model, ids[:9], 40, uses_drafts=False).tokens
    for stop in sorted(set(whole)):
        expected = whole[: whole.index(stop) + 1]
        decoded = decode_greedily(model, ids[:9], 40, stops={stop})
        assert decoded.tokens == expected
        assert decoded.state.length == 9 + len(expected) - 1
    for limit in (1, 2, 3, 8):
        decoded = decode_greedily(model, ids[:9], limit)
        assert (decoded.tokens, decoded.state.length) == (whole[:limit], 9 + limit - 1)


def test_a_checkpoint_without_a_block_says_that_it_has_no_drafts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_checkpoint(tmp_path, {**SMALL, "num_nextn_predict_layers": 1}, seed=1)
    with caplog.at_level(logging.INFO):
        model = load_model(tmp_path)
    assert not model.has_drafts
    assert "no mtp.* tensors; it runs without drafts" in caplog.text
    _, state = model.forward(torch.tensor([1]))
    with pytest.raises(CacheError, match="the checkpoint has no MTP block"):
        model.draft(1, state)


@pytest.mark.parametrize("name", ["mtp.1.e_proj.weight", "mtp.0.main_proj.weight"])
def test_another_draft_module_is_left_out_and_named(tmp_path: Path, name: str) -> None:
    said = {"dspark_block_size": 5, "dspark_target_layer_ids": [0, 1, 2], "num_nextn_predict_layers": 3}
    write_checkpoint(tmp_path, {**SMALL, **said}, seed=1)
    change(tmp_path, tmp_path, {name: torch.zeros(2)})
    model = load_model(tmp_path)
    assert not model.has_drafts
    assert f"DSpark), such as {name}; left out" in model.about_drafts


@pytest.mark.parametrize(
    "name", ["e_proj.weight", "hnorm.weight", "hc_head_fn", "attn.wkv.weight", "ffn.gate.bias", "norm.weight"]
)
def test_half_a_block_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    change(folder, tmp_path, {f"mtp.0.{name}": None})
    with pytest.raises(WeightsError, match=f"the tensor mtp.0.{name} is missing"):
        load_model(tmp_path)


def test_what_has_no_place_in_a_block_is_refused(folder: Path, tmp_path: Path) -> None:
    change(folder, tmp_path, {"mtp.0.more.weight": torch.zeros(2)})
    with pytest.raises(WeightsError, match=r"no place, such as mtp.0.more.weight"):
        load_model(tmp_path)


def test_nothing_is_drafted_from_an_empty_state_or_one_without_drafts(
    folder: Path, model: V4Model, tmp_path: Path
) -> None:
    with pytest.raises(CacheError, match="the state is empty"):
        model.draft(1, model.empty_state())
    tensors = load_file(folder / "model.safetensors")
    change(folder, tmp_path, {name: None for name in tensors if name.startswith("mtp.")})
    without = load_model(tmp_path)
    _, state = without.forward(torch.tensor([1, 2]))
    _, half = model.forward(torch.tensor([1, 2]))
    without.forward(torch.tensor([3]), half)
    for made in (state, half):
        model.forward(torch.tensor([4]), made)
        with pytest.raises(CacheError, match="the state was made without drafts"):
            model.draft(1, made)


def change(source: Path, target: Path, changes: dict[str, torch.Tensor | None]) -> None:
    """A checkpoint with other tensors; None takes one away."""
    tensors: dict[str, torch.Tensor | None] = {**load_file(source / "model.safetensors"), **changes}
    (target / "config.json").write_text((source / "config.json").read_text())
    save_file({k: v for k, v in tensors.items() if v is not None}, target / "model.safetensors")


def copying(folder: Path, target: Path, scale: float) -> V4Model:
    """At `scale` 0 layers add nothing: a token's next is a function of it, which the block knows; above, less so."""
    tensors = load_file(folder / "model.safetensors")
    for name in tensors:
        if "wo_b" in name or ".w2." in name or name == "mtp.0.h_proj.weight":
            tensors[name] *= scale
    tensors["mtp.0.e_proj.weight"] = torch.eye(64)
    tensors["mtp.0.enorm.weight"] = torch.ones(64)
    for name in ("norm.weight", "hc_head_fn", "hc_head_base", "hc_head_scale"):
        tensors[f"mtp.0.{name}"] = tensors[name].clone()
    change(folder, target, {**tensors})
    loaded: V4Model = load_model(target)
    return loaded


def streams_of(model: V4Model, ids: torch.Tensor) -> torch.Tensor:
    """Behind the last layer, in one pass."""
    state = model.empty_state()
    streams = model.embed[ids][:, None].expand(-1, 4, -1)
    for layer, part in zip(model.layers, state.layers, strict=True):
        streams = layer(streams, ids, part, 0)
    return streams


def naive_drafts(weights: dict[str, torch.Tensor], streams: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The block at every position, written from the formulas in float64, position by position, without a cache."""
    w = {
        name.removeprefix("mtp.0."): tensor.double()
        for name, tensor in weights.items()
        if name.startswith("mtp.0.")
    }
    embed, head = weights["embed.weight"].double(), weights["head.weight"].double()
    x = [
        norm(embed[ids[p + 1]], w["enorm.weight"]) @ w["e_proj.weight"].T
        + norm(streams[p].double(), w["hnorm.weight"]) @ w["h_proj.weight"].T
        for p in range(len(ids) - 1)
    ]
    mixes = [connection(s, w, "hc_attn_") for s in x]
    inputs = [norm(mix[0], w["attn_norm.weight"]) for mix in mixes]
    rows = [turn(norm(v @ w["attn.wkv.weight"].T, w["attn.kv_norm.weight"]), p) for p, v in enumerate(inputs)]
    out = []
    for p, (s, v) in enumerate(zip(x, inputs, strict=True)):
        s = rejoin(attend(v, p, rows, w), s, mixes[p])  # noqa: PLW2901  the next streams
        mix = connection(s, w, "hc_ffn_")
        s = rejoin(experts(norm(mix[0], w["ffn_norm.weight"]), w), s, mix)  # noqa: PLW2901  the next streams
        m = norm(s.flatten()) @ w["hc_head_fn"].T
        pre = torch.sigmoid(m * w["hc_head_scale"] + w["hc_head_base"]) + 1e-6
        out.append(norm(pre @ s, w["norm.weight"]) @ head.T)
    return torch.stack(out).float()


def norm(x: torch.Tensor, weight: torch.Tensor | float = 1.0) -> torch.Tensor:
    scaled: torch.Tensor = weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6)
    return scaled


def turn(x: torch.Tensor, position: int) -> torch.Tensor:
    """The last 8 elements as four complex numbers."""
    angles = position / 10000.0 ** (torch.arange(4) / 4).double()
    pairs = torch.view_as_complex(x[..., -8:].reshape(*x.shape[:-1], 4, 2).contiguous())
    turned = torch.view_as_real(pairs * torch.polar(torch.ones(4).double(), angles)).flatten(-2)
    return torch.cat((x[..., :-8], turned), -1)


def connection(
    s: torch.Tensor, w: dict[str, torch.Tensor], at: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    m, base, scale = norm(s.flatten()) @ w[f"{at}fn"].T, w[f"{at}base"], w[f"{at}scale"]
    pre = torch.sigmoid(m[:4] * scale[0] + base[:4]) + 1e-6
    post = 2 * torch.sigmoid(m[4:8] * scale[1] + base[4:8])
    c = ((m[8:] * scale[2] + base[8:]).view(4, 4)).softmax(-1) + 1e-6
    c = c / (c.sum(0, keepdim=True) + 1e-6)
    for _ in range(19):
        c = c / (c.sum(1, keepdim=True) + 1e-6)
        c = c / (c.sum(0, keepdim=True) + 1e-6)
    return pre @ s, post, c


def rejoin(
    y: torch.Tensor, s: torch.Tensor, mix: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    return torch.stack([mix[1][k] * y + sum(mix[2][j, k] * s[j] for j in range(4)) for k in range(4)])


def attend(v: torch.Tensor, p: int, rows: list[torch.Tensor], w: dict[str, torch.Tensor]) -> torch.Tensor:
    latent = norm(v @ w["attn.wq_a.weight"].T, w["attn.q_norm.weight"])
    queries = turn(norm((latent @ w["attn.wq_b.weight"].T).view(4, 32)), p)
    seen = torch.stack(rows[max(0, p - 7) : p + 1])
    heads = []
    for q, sink in zip(queries, w["attn.attn_sink"], strict=True):
        weights = torch.cat((seen @ q / 32**0.5, sink[None])).softmax(0)[:-1]
        heads.append(turn(weights @ seen, -p))
    groups = torch.stack(heads).view(2, 64)
    low = torch.cat([w["attn.wo_a.weight"][16 * g : 16 * g + 16] @ groups[g] for g in range(2)])
    return w["attn.wo_b.weight"] @ low


def experts(x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
    def one(name: str) -> torch.Tensor:
        gate = (w[f"ffn.{name}.w1.weight"] @ x).clamp(max=2.0)
        up = (w[f"ffn.{name}.w3.weight"] @ x).clamp(-2.0, 2.0)
        return w[f"ffn.{name}.w2.weight"] @ (gate * torch.sigmoid(gate) * up)

    scores = torch.log1p(torch.exp(w["ffn.gate.weight"] @ x)).sqrt()
    chosen = (scores + w["ffn.gate.bias"]).topk(2).indices.tolist()
    total = scores[chosen].sum()
    return one("shared_experts") + sum(1.5 * scores[e] / total * one(f"experts.{e}") for e in chosen)


def assert_close(logits: torch.Tensor, expected: torch.Tensor) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= CLOSE
