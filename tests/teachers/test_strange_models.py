"""Checkpoints as people bring them: read as they were meant, or refused by name."""

import json
import shutil

import numpy as np
import pytest
import torch
from conftest import small_bert
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast
from transformers.models.distilbert import DistilBertConfig
from transformers.models.gpt2 import GPT2Config
from transformers.models.qwen2 import Qwen2Config
from transformers.models.roberta import RobertaConfig
from transformers.models.xlnet import XLNetConfig

from distill_helpers.teachers.finetuning import finetune, load_encoder, save_teacher
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.teachers.loading import load_classifier

WORDS = "a fine film about dull river the good story of".split()
SMALL = dict(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
)


def word_tokenizer(special, template=None, **options):
    """A tokeniser of ten words, with special tokens of its own."""
    vocabulary = {token: i for i, token in enumerate([*special, *WORDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    if template:
        pairs = [(token, vocabulary[token]) for token in special if token in template]
        backend.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=pairs
        )
    return PreTrainedTokenizerFast(tokenizer_object=backend, **options)


def gpt2():
    tokenizer = word_tokenizer(["<unk>", "<end>"], unk_token="<unk>", eos_token="<end>")
    return tokenizer, GPT2Config(
        n_embd=16, n_layer=1, n_head=2, n_positions=64, vocab_size=12, eos_token_id=1
    )


def qwen():
    tokenizer = word_tokenizer(
        ["<unk>", "<end>", "<pad>"],
        unk_token="<unk>",
        eos_token="<end>",
        pad_token="<pad>",
        padding_side="left",
    )
    return tokenizer, Qwen2Config(**SMALL, num_key_value_heads=2, vocab_size=13)


def roberta():
    tokenizer = word_tokenizer(
        ["<s>", "<pad>", "</s>", "<unk>"],
        "<s> $A </s>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
    )
    return tokenizer, RobertaConfig(**SMALL, vocab_size=14, max_position_embeddings=34)


def xlnet():
    tokenizer = word_tokenizer(
        ["<unk>", "<sep>", "<cls>", "<s>", "</s>", "<pad>"],
        "$A:0 <sep>:0 <cls>:2",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<cls>",
        sep_token="<sep>",
        padding_side="left",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    return tokenizer, XLNetConfig(
        d_model=16, n_layer=1, n_head=2, d_inner=16, vocab_size=16
    )


def distilbert():
    tokenizer = word_tokenizer(
        ["<pad>", "<unk>", "<cls>", "<sep>"],
        "<cls> $A <sep>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<cls>",
        sep_token="<sep>",
    )
    shape = dict(dim=16, n_layers=1, n_heads=2, hidden_dim=16)
    return tokenizer, DistilBertConfig(**shape, vocab_size=14)


@pytest.mark.parametrize("kind", [gpt2, qwen, roberta, xlnet, distilbert])
def test_it_reads_each_text_as_the_model_alone_does(kind):
    tokenizer, config = kind()
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    texts = ["a fine film", "the good story of a dull river", "dull"]
    with torch.no_grad():
        alone = [model(**tokenizer(t, return_tensors="pt")).logits[0] for t in texts]
    teacher = HuggingFaceTeacher(model, tokenizer, max_length=32, progress=False)
    np.testing.assert_allclose(teacher.logits(texts), torch.stack(alone), atol=2e-4)
    assert np.isfinite(teacher.logits(["", "a " * 500])).all()


def test_the_last_positions_of_roberta_are_not_there():
    tokenizer, config = roberta()
    model = AutoModelForSequenceClassification.from_config(config)
    with pytest.raises(ValueError, match=r"max_length must lie in 8\.\.32"):
        HuggingFaceTeacher(model, tokenizer, max_length=33)
    longest = HuggingFaceTeacher(model, tokenizer, max_length=32, progress=False)
    assert np.isfinite(longest.logits(["a fine film " * 40])).all()


# ---------------------------------------------------------- refused by name
@pytest.fixture
def folder(bert_tokenizer, tmp_path):
    save_teacher(small_bert(bert_tokenizer), bert_tokenizer, tmp_path / "teacher")
    return tmp_path / "teacher"


def no_tokenizer(folder, tokenizer):
    for path in folder.glob("token*"):
        path.unlink()


def no_head(folder, tokenizer):
    small_bert(tokenizer).bert.save_pretrained(folder)


def pickled(folder, tokenizer):
    (folder / "model.safetensors").unlink()
    torch.save(small_bert(tokenizer).state_dict(), folder / "pytorch_model.bin")


def torn(folder, tokenizer):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def adapter(folder, tokenizer):
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')


def no_config(folder, tokenizer):
    (folder / "config.json").unlink()


def torn_config(folder, tokenizer):
    (folder / "config.json").write_text("{")


def regression(folder, tokenizer):
    model = small_bert(tokenizer, num_labels=1)
    model.save_pretrained(folder)


def own_code(folder, tokenizer):
    (folder / "x.py").write_text("raise SystemExit('this ran')")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "x.C"}}
    (folder / "config.json").write_text(json.dumps(config))


def not_numbers(folder, tokenizer):
    model = small_bert(tokenizer)
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))
    model.save_pretrained(folder)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (no_tokenizer, "all of them special.*tokenizer.save_pretrained"),
        (no_head, "no trained classifier.*classifier.bias.*make_teacher"),
        (pickled, r"no weights as safetensors.*pytorch_model\.bin"),
        (torn, "weights are damaged"),
        (adapter, "an adapter.*merge_and_unload"),
        (no_config, "folder without config.json"),
        (torn_config, "teacher=.*config.json"),
        (regression, "at least two classes.*regression"),
        (own_code, "code of its own, which is never run"),
        (not_numbers, "logits must be finite"),
    ],
)
def test_what_is_no_trained_classifier_is_refused(
    folder, bert_tokenizer, harm, message, monkeypatch
):
    def asked(*_):
        raise AssertionError("it asked on stdin")

    monkeypatch.setattr("builtins.input", asked)
    harm(folder, bert_tokenizer)
    with pytest.raises(ValueError, match=message):
        HuggingFaceTeacher.from_pretrained(folder).logits(["a film"])


def test_a_known_kind_of_model_needs_no_code_that_lies_beside_it(folder):
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSequenceClassification": "x.Y"}
    (folder / "config.json").write_text(json.dumps(config))
    model, _ = load_classifier(folder)
    assert type(model).__name__ == "BertForSequenceClassification"


def test_texts_that_the_tokeniser_does_not_know_are_said_loudly():
    tokenizer, config = distilbert()
    model = AutoModelForSequenceClassification.from_config(config)
    teacher = HuggingFaceTeacher(model, tokenizer, max_length=32, progress=False)
    with pytest.warns(UserWarning, match=r"100% of the tokens.*cannot read them"):
        teacher.logits(["ein schlechter Streifen", "ganz nett"])


@pytest.mark.parametrize("kind", [roberta, xlnet, distilbert])
def test_an_encoder_of_any_family_can_be_tuned_to_be_a_teacher(kind, tmp_path):
    tokenizer, config = kind()
    torch.manual_seed(0)
    start = AutoModelForSequenceClassification.from_config(config)
    torch.nn.init.normal_(start.get_input_embeddings().weight)  # it stays as it is
    save_teacher(start, tokenizer, tmp_path)
    model, tokenizer = load_encoder(tmp_path, label_names=["dull", "fine"])
    texts = ["a fine film", "a dull story", "the good river", "dull dull film"] * 4
    losses = finetune(
        model,
        tokenizer,
        texts,
        [1, 0, 1, 0] * 4,
        epochs=20,
        learning_rate=1e-2,
        batch_size=8,
        max_length=32,
    )
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])
    teacher = HuggingFaceTeacher(model, tokenizer, max_length=32, progress=False)
    assert teacher.label_names == ["dull", "fine"]
    assert (teacher.logits(texts).argmax(1) == [1, 0, 1, 0] * 4).mean() > 0.9


@pytest.mark.parametrize("kind", [gpt2, qwen])
def test_a_decoder_is_no_encoder_and_is_refused_by_name(kind, tmp_path):
    tokenizer, config = kind()
    save_teacher(
        AutoModelForSequenceClassification.from_config(config), tokenizer, tmp_path
    )
    with pytest.raises(ValueError, match="encoder=.*cls_token"):
        load_encoder(tmp_path, label_names=["dull", "fine"])
