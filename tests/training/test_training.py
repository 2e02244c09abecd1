"""Training: the model that is trained is the one that local_model runs; it learns; a run that was stopped goes on."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from local_model import load_model
from training import checkpoint, tokenizer, train
from training.batches import Batches
from training.documents.samples import sample
from training.model import V4
from training.optimizer import Optimizer, orthogonal


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocabulary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer, "SAMPLES", 3000)
        tokenizer.main(folder)
    return folder / "tokenizer.json"


def test_what_is_trained_is_what_the_runtime_runs(vocabulary: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = V4(checkpoint.config(), 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.02)
        for name, buffer in model.named_buffers():
            if name.endswith("bias"):
                buffer.add_(torch.randn_like(buffer), alpha=0.1)
    checkpoint.write(model, vocabulary, tmp_path)
    runtime = load_model(tmp_path)
    ids = torch.randint(3, 4000, (2, 300))
    with torch.no_grad():
        logits = model.logits(model(ids))
    for row, expected in zip(ids, logits, strict=True):
        found, _ = runtime.forward(row)
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_the_vocabulary_gives_texts_back_and_copies_have_the_tokens_of_their_source(vocabulary: Path) -> None:
    coder = Tokenizer.from_file(str(vocabulary))
    assert coder.get_vocab_size() <= tokenizer.VOCAB_SIZE
    assert coder.encode("<｜User｜>x<｜Assistant｜></think>").tokens[::2] != []
    for text in (sample(5).text, "naïve 漢字 🧾 \t\r\n  x", "1,234.50"):
        assert coder.decode(coder.encode(text).ids) == text
    in_document = coder.encode("TOTAL: 1,234.50\n").tokens
    in_answer = coder.encode('{"total":"1,234.50"}').tokens
    assert "|".join(coder.encode("1,234.50").tokens) in "|".join(in_answer)
    assert "|".join(coder.encode("1,234.50").tokens) in "|".join(in_document)


def test_batches_are_padded_behind_and_weigh_answers(vocabulary: Path) -> None:
    batches = list(Batches(vocabulary, 2048).since(0, 512))
    again = list(Batches(vocabulary, 2048).since(0, 512))
    assert [batch.ids.tolist() for batch in batches] == [batch.ids.tolist() for batch in again]
    coder = Tokenizer.from_file(str(vocabulary))
    for batch in batches:
        assert batch.ids.shape == batch.weights.shape
        assert batch.ids.numel() <= 2048
        for ids, weights in zip(batch.ids, batch.weights, strict=True):
            answer = coder.decode(ids[weights == 1].tolist(), skip_special_tokens=True)
            assert answer.startswith("{")
            assert answer.endswith("}")
    assert {batch.next_seed for batch in batches} == {1024}


def test_orthogonal_evens_the_sizes_out() -> None:
    matrix = torch.randn(3, 20, 50, generator=torch.Generator().manual_seed(1))
    for each in (matrix, matrix.mT):
        sizes = torch.linalg.svdvals(orthogonal(each))
        assert sizes.min() > 0.5
        assert sizes.max() < 1.4


def test_it_learns_and_a_stopped_run_goes_on_as_if_it_had_not_been(
    vocabulary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(checkpoint.CONFIG, "hidden_size", 64)
    monkeypatch.setattr("training.batches.DRAWN_AT_ONCE", 12)
    monkeypatch.setattr(train, "SAVE_S", 0)
    monkeypatch.setattr(V4, "compile_parts", lambda _: None)
    monkeypatch.setattr(train, "SNIPPETS", 0.0)
    monkeypatch.setattr(train, "SHORT", 0.0)

    def run(name: str, tokens: int) -> dict[str, torch.Tensor]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_bytes(vocabulary.read_bytes())
        monkeypatch.setattr(
            "sys.argv", ["train", str(folder), "--tokens", str(tokens), "--threads", "1", "--batch", "1024"]
        )
        train.main()
        found: dict[str, torch.Tensor] = torch.load(folder / "state.pt", weights_only=True)["model"]
        return found

    whole = run("whole", 12_000)
    schedule = train._rate
    monkeypatch.setattr(train, "_rate", lambda progress, _: schedule(progress, 12_000))
    run("parts", 4_000)
    parts = run("parts", 12_000)
    assert whole.keys() == parts.keys()
    for name, tensor in whole.items():
        assert torch.equal(parts[name], tensor), name


def test_a_step_lowers_the_loss_of_its_batch(vocabulary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checkpoint.CONFIG, "hidden_size", 64)
    torch.manual_seed(1)
    model = V4(checkpoint.config(), 1)
    optimizer = Optimizer(model)
    batch = next(Batches(vocabulary, 1024).since(0, 512))
    losses = [train.step(batch, model, optimizer, 0.3, "cpu")[0] for _ in range(12)]
    assert losses[-1] < losses[0] - 1
