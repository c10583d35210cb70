"""Lower layers run once and kept, upper layers trained: stopped anywhere, it goes on."""

import copy
import json
import shutil

import numpy as np
import pytest
import torch
from conftest import small_bert
from safetensors import safe_open
from transformers import MPNetConfig, MPNetModel

from distill_helpers.teachers import kept_layers, upper_layers
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.kept_layers import (
    OtherPiecesError,
    keep_lower,
    split_encoder,
)
from distill_helpers.teachers.upper_layers import (
    LayeredTeacher,
    kept_logits,
    slope,
    train_upper,
)

SETTINGS = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3, "progress": False}


def small_mpnet(tokenizer):
    """MPNet, whose layers share a table of relative positions."""
    config = MPNetConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        initializer_range=0.3,
    )
    return MPNetModel(config)


@pytest.fixture(scope="module", params=["bert", "mpnet"])
def base(request, tmp_path_factory, bert_tokenizer):
    torch.manual_seed(0)
    if request.param == "mpnet":
        model = small_mpnet(bert_tokenizer)
    else:
        shape = {"num_hidden_layers": 3, "max_position_embeddings": 64}
        model = small_bert(bert_tokenizer, initializer_range=0.3, **shape).bert
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder)
    bert_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def encoder(base):
    return split_encoder(base, 2)


@pytest.fixture
def kept(encoder, texts, tmp_path):
    return keep_lower(tmp_path / "kept", encoder, texts, piece=10, progress=False)


def taught(folder, encoder, kept, labels, **settings):
    rows = list(range(48))
    return train_upper(
        folder, encoder, kept, rows, labels[:48], **(SETTINGS | settings)
    )


def stopped_at(monkeypatch, module, name, call):
    """Let a function of a module work a few times, then press Ctrl-C."""
    work, calls = getattr(module, name), []

    def stops(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return work(*args, **kwargs)

    monkeypatch.setattr(module, name, stops)


def test_kept_states_and_upper_layers_say_what_the_whole_encoder_says(
    base, encoder, kept, texts
):
    from transformers import AutoModel

    whole = AutoModel.from_pretrained(base, attn_implementation="eager").eval()
    model = upper_layers.UpperLayers.untrained(encoder, 2)
    rows = [3, 0, 41]
    hidden, mask, owners = kept.batch(rows)
    assert hidden.dtype == torch.bfloat16
    with torch.no_grad():
        found = model.features(hidden, mask, owners)
    for row, feature in zip(rows, found):
        read = kept_layers.tokenize_windows(encoder.tokenizer, [texts[row]], 64)[0]
        with torch.no_grad():
            states = [whole(torch.tensor([w])).last_hidden_state[0] for w in read]
        wanted = torch.nn.functional.normalize(torch.cat(states).sum(0), dim=0)
        torch.testing.assert_close(feature, wanted, atol=0.02, rtol=0)


def test_only_the_upper_layers_are_trained_not_what_is_shared(encoder):
    asking = [n for n, p in encoder.upper.named_parameters() if p.requires_grad]
    assert asking and all(name.startswith("layer.0.") for name in asking)
    assert not any(p.requires_grad for p in encoder.lower.parameters())


def test_a_labelling_that_was_stopped_goes_on_and_finds_the_same(
    encoder, texts, tmp_path, kept, monkeypatch
):
    again = {"piece": 10, "progress": False}
    with monkeypatch.context() as patch:
        stopped_at(patch, kept_layers, "_states_of", 3)
        with pytest.raises(KeyboardInterrupt):
            keep_lower(tmp_path / "again", encoder, texts, **again)
    assert len(list((tmp_path / "again").iterdir())) == 2
    asked = []
    work = kept_layers._states_of
    monkeypatch.setattr(
        kept_layers, "_states_of", lambda *a: asked.append(len(a[1])) or work(*a)
    )
    found = keep_lower(tmp_path / "again", encoder, texts, **again)
    assert asked == [10, 10, 10, 10, 4]
    assert found.lengths == kept.lengths
    for a, b in zip(found.batch(range(64)), kept.batch(range(64)), strict=True):
        assert torch.equal(a, b)


def test_more_texts_add_to_the_pieces_and_keep_what_was_trained(
    encoder, texts, labels, tmp_path
):
    few = keep_lower(tmp_path / "k", encoder, texts[:50], piece=10, progress=False)
    first = taught(tmp_path / "t", encoder, few, labels)
    files = {f: f.stat().st_mtime_ns for f in (tmp_path / "k").iterdir()}
    more = keep_lower(tmp_path / "k", encoder, texts, piece=10, progress=False)
    assert len(more) == 64 and more.seconds >= few.seconds > 0
    assert all(f.stat().st_mtime_ns == then for f, then in files.items())
    again = taught(tmp_path / "t", encoder, more, labels)
    assert again.losses == first.losses


def test_pieces_of_something_else_are_refused_by_name(
    base, encoder, kept, texts, labels, tmp_path
):
    folder = tmp_path / "kept"
    before = sorted(p.name for p in folder.iterdir())
    options = {"piece": 10, "progress": False}
    with pytest.raises(OtherPiecesError, match="lower layers '.*', now"):
        keep_lower(folder, split_encoder(base, 1), texts, **options)
    with pytest.raises(OtherPiecesError, match="texts '.*', now"):
        keep_lower(folder, encoder, texts[::-1], **options)
    with pytest.raises(OtherPiecesError, match="texts '.*', now"):
        keep_lower(folder, encoder, texts, piece=20, progress=False)
    assert sorted(p.name for p in folder.iterdir()) == before
    taught(tmp_path / "t", encoder, kept, labels)
    with pytest.raises(OtherPiecesError, match="settings .*, now"):
        taught(tmp_path / "t", encoder, kept, labels, seed=1)
    with pytest.raises(OtherPiecesError, match="learns from"):
        taught(tmp_path / "t", encoder, kept, labels[::-1])


@pytest.mark.parametrize("call", [2, 7, 12])
def test_a_training_that_was_stopped_ends_as_if_it_never_was(
    encoder, kept, labels, tmp_path, monkeypatch, call
):
    def watch(model):
        return float(kept_logits(model, kept, range(48, 64)).sum())

    rest = {"every": 4, "watch": watch}
    wanted = taught(tmp_path / "whole", encoder, kept, labels, **rest)
    with monkeypatch.context() as patch:
        stopped_at(patch, upper_layers.F, "cross_entropy", call)
        with pytest.raises(KeyboardInterrupt):
            taught(tmp_path / "parts", encoder, kept, labels, **rest)
    there = [path.name for path in (tmp_path / "parts").iterdir()]
    assert there == ["checkpoint.safetensors"]
    with safe_open(tmp_path / "parts" / there[0], "np") as file:
        told = json.loads(file.metadata()["told"])
    assert call - 1 - len(told["losses"]) < 4
    found = taught(tmp_path / "parts", encoder, kept, labels, **rest)
    assert found.losses == wanted.losses and len(found.losses) == 12
    assert [w[::2] for w in found.watched] == [w[::2] for w in wanted.watched]
    assert [step for step, _, _ in found.watched] == [0, 6, 12]
    np.testing.assert_array_equal(
        kept_logits(found.model, kept, range(64)),
        kept_logits(wanted.model, kept, range(64)),
    )
    there = [path.name for path in (tmp_path / "parts").iterdir()]
    assert there == ["upper.safetensors"]
    assert taught(tmp_path / "parts", encoder, kept, labels, **rest).losses == (
        wanted.losses
    )


def test_training_learns_and_leaves_the_encoder_as_it_was(
    encoder, kept, labels, tmp_path
):
    before = {n: t.clone() for n, t in encoder.upper.state_dict().items()}
    done = taught(tmp_path / "t", encoder, kept, labels, epochs=8)
    assert np.mean(done.losses[-6:]) < 0.7 * np.mean(done.losses[:6])
    for name, tensor in encoder.upper.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_layered_teacher_answers_texts_as_it_answers_kept_states(
    encoder, kept, texts, labels, tmp_path
):
    model = taught(tmp_path / "t", encoder, kept, labels).model
    teacher = LayeredTeacher(encoder, model, batch_size=5)
    cached = CachedTeacher(teacher, tmp_path / "answers", chunk=8)
    found = cached.logits(texts[:20])
    wanted = kept_logits(model, kept, range(20))
    np.testing.assert_allclose(found, wanted, atol=0.1)
    assert len(list(cached.folder.glob("*.parquet"))) == 3
    other = taught(tmp_path / "u", encoder, kept, labels, seed=1).model
    assert LayeredTeacher(encoder, other).fingerprint != teacher.fingerprint


def test_a_tokeniser_that_came_with_a_length_is_the_same_once_it_was_asked(
    base, bert_tokenizer, texts, labels, tmp_path
):
    cutting = copy.deepcopy(bert_tokenizer)
    cutting.backend_tokenizer.enable_truncation(8)
    cutting.backend_tokenizer.enable_padding(length=8)
    its = shutil.copytree(base, tmp_path / "its")
    cutting.save_pretrained(its)
    encoder = split_encoder(its, 2)
    facts = encoder.facts
    kept = keep_lower(tmp_path / "kept", encoder, texts, piece=60, progress=False)
    assert encoder.facts == facts == split_encoder(base, 2).facts
    model = taught(tmp_path / "t", encoder, kept, labels).model
    first = LayeredTeacher(encoder, model)
    CachedTeacher(first, tmp_path / "answers").logits(texts[:8])
    again = LayeredTeacher(split_encoder(its, 2), model)
    assert again.fingerprint == first.fingerprint


def test_what_cannot_be_is_said_with_its_name(base, encoder, kept, labels, tmp_path):
    with pytest.raises(ValueError, match=r"frozen must lie in \[0, 2\], got 3"):
        split_encoder(base, 3)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        taught(tmp_path / "t", encoder, kept, labels, epochs=0)
    with pytest.raises(ValueError, match="one length above 0, got 2 and 1"):
        train_upper(tmp_path / "t", encoder, kept, [0, 1], [1])
    with pytest.raises(ValueError, match=r"two classes at least, got \[0\]"):
        train_upper(tmp_path / "t", encoder, kept, [0, 1], [0, 0])
    assert not (tmp_path / "t").exists()


def test_the_rate_rises_and_falls():
    rates = [slope(step, 100) for step in range(100)]
    assert np.argmax(rates) in (5, 6) and max(rates) == 1.0
    assert min(rates) > 0 and rates[-1] == min(rates)
