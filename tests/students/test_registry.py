import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
    pipeline,
)

from distill_helpers.compression.vocabulary import factorise_embedding
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.data.labels import SEVERAL_LABELS
from distill_helpers.data.vocabulary import check_same_vocabulary
from distill_helpers.students import registry
from distill_helpers.students.embeddings import embeddings_from_teacher
from distill_helpers.students.registry import (
    STUDENTS,
    build_student,
    register_student,
)
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.training.recipes import step_budget, train_student

ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "bigram": {"buckets": 512},
    "text-cnn": {"filters": 8, "embedding_size": 16},
    "tiny-transformer": {
        "hidden_size": 32,
        "embedding_size": 16,
        "intermediate_size": 64,
    },
}


@pytest.fixture(params=STUDENTS)
def student(request, tokenizers):
    name = request.param
    torch.manual_seed(1)
    model = build_student(name, tokenizers[name], **SMALL[name])
    with torch.no_grad():  # a linear model starts at zero: give it something
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return name, model.eval(), tokenizers[name]


def logits(model, tokenizer, texts, **options):
    batch = tokenizer(
        texts, padding=True, truncation=True, return_tensors="pt", **options
    )
    with torch.no_grad():
        return model(**batch).logits


def test_a_student_survives_saving(student, tmp_path, texts):
    _, model, tokenizer = student
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert type(again) is type(model)
    assert again.config.id2label == {0: "negative", 1: "positive"}
    torch.testing.assert_close(
        logits(again, loaded, texts[:4]), logits(model, tokenizer, texts[:4])
    )
    assert sorted(
        p.suffix for p in tmp_path.iterdir() if p.suffix not in (".json",)
    ) == [".safetensors"]


def test_a_student_works_in_a_pipeline(student, texts):
    _, model, tokenizer = student
    answers = pipeline("text-classification", model=model, tokenizer=tokenizer)(
        texts[:3]
    )
    assert {answer["label"] for answer in answers} <= {"negative", "positive"}
    assert all(0.5 <= answer["score"] <= 1 for answer in answers)


def test_a_pipeline_takes_a_text_longer_than_the_student_reads(student):
    _, model, tokenizer = student
    answer = pipeline("text-classification", model=model, tokenizer=tokenizer)
    assert answer("a fine film " * 2000)[0]["label"] in ("negative", "positive")


def test_a_student_works_with_the_stock_trainer(student, texts, labels, tmp_path):
    _, model, tokenizer = student
    rows = [
        {**tokenizer(text, truncation=True), "labels": label}
        for text, label in zip(texts, labels)
    ]
    from transformers import DataCollatorWithPadding

    args = TrainingArguments(
        tmp_path,
        max_steps=15,
        learning_rate=0.01,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        use_cpu=True,
        per_device_train_batch_size=64,
    )
    trainer = Trainer(model, args, DataCollatorWithPadding(tokenizer), rows)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[-1] < 0.9 * losses[0]


def test_padding_does_not_change_the_answer(student):
    _, model, tokenizer = student
    alone = logits(model, tokenizer, ["a fine film"])
    beside = logits(model, tokenizer, ["a fine film", "a dull film " * 20])
    torch.testing.assert_close(alone[0], beside[0], atol=1e-5, rtol=1e-5)


def test_words_matter_and_an_empty_text_is_answered(student, texts):
    name, model, tokenizer = student
    answers = logits(model, tokenizer, texts[:2])
    assert not torch.allclose(answers[0], answers[1])
    batch = tokenizer(["", texts[0]], padding=True, return_tensors="pt")
    with torch.no_grad():
        assert torch.isfinite(model(**batch).logits).all(), name


def test_gradients_reach_every_weight(student, texts):
    _, model, tokenizer = student
    batch = tokenizer(texts[:8], padding=True, truncation=True, return_tensors="pt")
    model(**batch, labels=torch.tensor([0, 1] * 4)).loss.backward()
    for name, parameter in model.named_parameters():
        if "token_type" in name:  # one type: its gradient exists all the same
            continue
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_a_label_of_minus_100_does_not_count(student, texts):
    _, model, tokenizer = student
    batch = tokenizer(texts[:4], padding=True, truncation=True, return_tensors="pt")
    some = model(**batch, labels=torch.tensor([0, -100, 1, -100])).loss
    batch = tokenizer(
        [texts[0], texts[2]], padding=True, truncation=True, return_tensors="pt"
    )
    torch.testing.assert_close(some, model(**batch, labels=torch.tensor([0, 1])).loss)


def test_the_seed_draws_the_weights_and_nothing_else(tokenizers):
    tokenizer = tokenizers["text-cnn"]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = build_student("text-cnn", tokenizer, seed=1)
    assert torch.rand(1) == expected
    same = build_student("text-cnn", tokenizer, seed=1)
    other = build_student("text-cnn", tokenizer, seed=2)
    assert torch.equal(first.embedding.weight, same.embedding.weight)
    assert not torch.equal(first.embedding.weight, other.embedding.weight)


def test_the_bigram_student_counts_words_and_pairs_once(tokenizers):
    tokenizer = tokenizers["bigram"]
    model = build_student("bigram", tokenizer, buckets=512)
    with torch.no_grad():
        model.weights.weight[:, 1] = 1.0
    # "a film a film": words {a, film}, pairs {a film, film a}: 4 / sqrt(4)
    answer = logits(model, tokenizer, ["a film a film"])
    assert answer[0].tolist() == pytest.approx([0.0, 2.0])


def test_the_bigram_student_tells_word_orders_apart(tokenizers):
    tokenizer = tokenizers["bigram"]
    model = build_student("bigram", tokenizer, buckets=4096)
    torch.manual_seed(0)
    with torch.no_grad():
        model.weights.weight.normal_()
    one, two = logits(model, tokenizer, ["film good", "good film"])
    assert not torch.allclose(one, two)


def test_the_end_of_a_long_text_is_kept(tokenizers):
    tokenizer = tokenizers["bigram"]
    ids = tokenizer("film " * 5000 + "good", truncation=True)["input_ids"]
    assert len(ids) == tokenizer.model_max_length
    assert ids[-1] == tokenizer.convert_tokens_to_ids("good")


def test_the_transformer_gives_its_hidden_states(tokenizers):
    tokenizer = tokenizers["tiny-transformer"]
    model = build_student("tiny-transformer", tokenizer, **SMALL["tiny-transformer"])
    batch = tokenizer(["a fine film"], return_tensors="pt")
    states = model(**batch, output_hidden_states=True).hidden_states
    assert len(states) == model.config.num_hidden_layers + 1
    assert states[-1].shape == (*batch["input_ids"].shape, 32)


def test_embeddings_start_from_the_teachers(tokenizers, bert, bert_tokenizer):
    tokenizer = tokenizers["text-cnn"]
    table = embeddings_from_teacher(tokenizer, bert, bert_tokenizer, width=16)
    assert table.shape == (len(tokenizer), 16)
    assert table[tokenizer.pad_token_id].abs().sum() == 0
    model = build_student("text-cnn", tokenizer, embeddings=table)
    assert torch.equal(model.embedding.weight, table)


def test_the_svd_keeps_what_is_near_in_the_teacher_near(
    tokenizers, bert, bert_tokenizer
):
    tokenizer = tokenizers["text-cnn"]
    table = embeddings_from_teacher(tokenizer, bert, bert_tokenizer, width=32)
    words = ["film", "story", "river", "the", "good", "watch", "time", "with"]
    pieces = bert_tokenizer(words, add_special_tokens=False)["input_ids"]
    own = tokenizer(words)["input_ids"]
    single = [(o[0], p) for o, p in zip(own, pieces) if len(o) == 1]
    assert len(single) > 3
    teacher = bert.get_input_embeddings().weight.detach()
    theirs = torch.stack([teacher[p].mean(0) for _, p in single])
    ours = table[[o for o, _ in single]]
    near = torch.corrcoef(torch.stack([torch.pdist(ours), torch.pdist(theirs)]))
    assert near[0, 1] > 0.99


VOCABULARY = """
import hashlib, json
from distill_helpers.data import load_reviews
from distill_helpers.students import STUDENTS, train_tokenizer
texts = load_reviews("sample")["train"]["text"]
for name in STUDENTS:
    vocabulary = sorted(train_tokenizer(texts, name).get_vocab().items())
    print(hashlib.sha256(json.dumps(vocabulary).encode()).hexdigest())
"""


def test_a_vocabulary_is_the_same_in_every_process():
    runs = {
        subprocess.run(
            [sys.executable, "-c", VOCABULARY],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(3)
    }
    assert len(runs) == 1
    assert len(runs.pop().split()) == 3


def test_more_than_two_classes(tokenizers):
    model = build_student(
        "text-cnn", tokenizers["text-cnn"], label_names=["a", "b", "c"]
    )
    assert model.config.num_labels == 3
    assert logits(model, tokenizers["text-cnn"], ["film"]).shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bert", {}, "student must be one of.*got 'bert'"),
        ("text-cnn", {"fliters": 3}, "fliters: no such field"),
        ("text-cnn", {"label_names": ["a"]}, "at least two different classes"),
        ("text-cnn", {"embeddings": torch.ones(3, 4)}, "one row for each"),
        ("bigram", {"embeddings": torch.ones(3, 4)}, "no embedding"),
    ],
)
def test_bad_settings_are_refused(tokenizers, name, options, message):
    with pytest.raises(ValueError, match=message):
        build_student(name, tokenizers["text-cnn"], **options)


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, "at least one text"),
        (["a"], {"vocab_size": 5}, "vocab_size"),
    ],
)
def test_bad_tokeniser_settings_are_refused(texts, options, message):
    with pytest.raises(ValueError, match=message):
        train_tokenizer(texts, "text-cnn", **options)


def test_a_svd_wider_than_the_teacher_is_refused(tokenizers, bert, bert_tokenizer):
    with pytest.raises(ValueError, match=r"width must lie in \[1, 32\]"):
        embeddings_from_teacher(tokenizers["text-cnn"], bert, bert_tokenizer, width=33)


def test_sharing_ids_needs_a_shared_vocabulary(tokenizers, bert_tokenizer):
    check_same_vocabulary(bert_tokenizer, bert_tokenizer)
    with pytest.raises(ValueError, match="one id means two different words"):
        check_same_vocabulary(tokenizers["text-cnn"], bert_tokenizer)


# ------------------------------------------------------- a student of one's own
OWN = """
import sys
from transformers import AutoModelForSequenceClassification

import own_student
from distill_helpers.students import STUDENTS, register_student

register_student(own_student.SPEC)
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
print(type(model).__name__, model.config.width, list(STUDENTS)[-1])
"""
STUDENT = '''
"""A student in one file."""

from torch import nn
from transformers import PreTrainedConfig

from distill_helpers.students.layers import StudentModel, mask_of, mean_over_tokens
from distill_helpers.students.spec import Recipe, StudentSpec
from distill_helpers.students.splitting import by_words


class MeanConfig(PreTrainedConfig):
    model_type = "own-mean"

    def __init__(self, vocab_size=100, width=8, pad_token_id=0, **kwargs):
        self.vocab_size, self.width = vocab_size, width
        super().__init__(pad_token_id=pad_token_id, **kwargs)


class MeanForSequenceClassification(StudentModel):
    config_class = MeanConfig

    def __init__(self, config):
        super().__init__(config)
        self.words = nn.Embedding(config.vocab_size, config.width, config.pad_token_id)
        self.classifier = nn.Linear(config.width, config.num_labels)
        self.post_init()

    def get_input_embeddings(self):
        return self.words

    def forward(self, input_ids, attention_mask=None, labels=None, **_):
        mask = mask_of(input_ids, attention_mask, self.config.pad_token_id)
        pooled = mean_over_tokens(self.words(input_ids), mask)
        return self._output(self.classifier(pooled), labels)


SPEC = StudentSpec(
    name="mean",
    model=MeanForSequenceClassification,
    recipe=Recipe(learning_rate=0.02, batch_size=16),
    split=by_words,
    vocab_size=500,
    max_length=40,
    width_field="width",
    embedding_field="width",
)
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_student.py").write_text(STUDENT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_student", raising=False)
    module = importlib.import_module("own_student")
    yield module.SPEC
    registry._specs.pop("mean", None)


def test_a_student_of_ones_own_is_one_file_and_one_line(
    own, tmp_path, texts, labelled, bert, bert_tokenizer
):
    with pytest.raises(ValueError, match="student must be one of.*got 'mean'"):
        train_tokenizer(texts, "mean")
    register_student(own)
    register_student(own)  # a notebook's cell may run again
    assert STUDENTS["mean"] is own
    tokenizer = train_tokenizer(texts, "mean")
    assert len(tokenizer) <= 500 and tokenizer.model_max_length == 40
    reads = encode_reviews(labelled, tokenizer)
    assert max(reads.lengths) == 40
    assert step_budget("mean", 64, 2) == 8
    model = train_student("mean", tokenizer, reads, reads, steps=8)
    assert type(model) is own.model
    table = embeddings_from_teacher(tokenizer, bert, bert_tokenizer, width=16)
    assert build_student("mean", tokenizer, embeddings=table).config.width == 16
    model.save_pretrained(tmp_path / "saved")
    done = subprocess.run(
        [sys.executable, "-c", OWN, str(tmp_path / "saved")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )
    assert done.stdout.split() == ["MeanForSequenceClassification", "8", "mean"], (
        done.stderr[-2000:]
    )


def test_a_student_of_the_kit_keeps_its_name(own):
    with pytest.raises(ValueError, match="name must be none of.*got 'bigram'"):
        register_student(dataclasses.replace(own, name="bigram"))
    with pytest.raises(TypeError, match="spec must be a StudentSpec, got str"):
        register_student("bigram")
    with pytest.raises(TypeError):
        STUDENTS["bigram"] = own


@pytest.mark.parametrize("name", STUDENTS)
def test_what_a_spec_says_is_what_is_built(name, texts):
    spec = STUDENTS[name]
    assert spec.name == name
    tokenizer = train_tokenizer(texts, name)
    assert tokenizer.model_max_length == spec.max_length
    assert len(tokenizer) <= spec.vocab_size
    model = build_student(name, tokenizer, **SMALL[name])
    assert type(model) is spec.model
    assert hasattr(model.config, spec.width_field)
    assert spec.embedding_field is None or hasattr(model.config, spec.embedding_field)


KNOWN = """
import sys
import distill_helpers
heavy = {"torch", "transformers", "numpy"} & set(sys.modules)
assert not heavy, f"import distill_helpers loaded {heavy}"
from transformers import BertForSequenceClassification  # on the way to the auto classes
from transformers import pipeline
for folder in sys.argv[1:]:
    pipe = pipeline("text-classification", model=folder, top_k=None)
    print(type(pipe.model).__name__, sum(entry["score"] for entry in pipe(["a film"])[0]))
"""
UNKNOWN = """
import sys
from transformers import AutoModelForSequenceClassification
load = AutoModelForSequenceClassification.from_pretrained
for folder in sys.argv[1:]:
    try:
        load(folder)
    except ValueError as error:
        print(error)
import distill_helpers
print(*[type(load(folder)).__name__ for folder in sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def saved(tokenizers, bert, bert_tokenizer, tmp_path_factory):
    """A student of one label, one of several, a reshaped teacher, an older student."""
    home = tmp_path_factory.mktemp("saved")
    models = {
        "one": build_student("bigram", tokenizers["bigram"], buckets=64),
        "several": build_student(
            "text-cnn",
            tokenizers["text-cnn"],
            label_names=list("abcde"),
            problem_type=SEVERAL_LABELS,
            filters=8,
        ),
        "reshaped": factorise_embedding(bert, 4),
        "older": build_student("bigram", tokenizers["bigram"], buckets=64),
    }
    readers = [tokenizers["bigram"], tokenizers["text-cnn"], bert_tokenizer]
    for (name, model), reader in zip(models.items(), [*readers, readers[0]]):
        model.save_pretrained(home / name)
        reader.save_pretrained(home / name)
    config = home / "older" / "config.json"
    content = json.loads(config.read_text()) | {"model_type": "distill-bigram"}
    config.write_text(json.dumps(content))
    return [home / name for name in models]


def run_python(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_importing_the_kit_alone_makes_every_saved_student_known(saved):
    lines = [line.split() for line in run_python(KNOWN, *saved)]
    assert [name for name, _ in lines] == [
        "BigramForSequenceClassification",
        "TextCNNForSequenceClassification",
        "ReshapedForSequenceClassification",
        "BigramForSequenceClassification",
    ]
    one, several, *_ = (float(total) for _, total in lines)
    assert one == pytest.approx(1)  # a softmax
    assert 1.2 < several < 5  # a sigmoid for each of five


def test_without_the_kit_the_error_names_the_import_that_is_missing(saved):
    *errors, loaded = run_python(UNKNOWN, *saved[:3])
    quoted = [line for line in errors if "does not recognize" in line]
    assert len(quoted) == 3
    assert all("(import distill_helpers first)" in line for line in quoted)
    assert loaded.split() == [
        "BigramForSequenceClassification",
        "TextCNNForSequenceClassification",
        "ReshapedForSequenceClassification",
    ]


def test_a_student_of_several_labels_says_so_and_has_their_loss(tokenizers):
    tokenizer = tokenizers["text-cnn"]
    model = build_student(
        "text-cnn",
        tokenizer,
        label_names=list("abc"),
        problem_type=SEVERAL_LABELS,
        dropout=0.0,
    )
    assert model.config.problem_type == SEVERAL_LABELS
    ids = torch.tensor([[2, 3, 4], [5, 6, 7]])
    rows = torch.tensor([[1.0, 0.0, 1.0], [-100.0, -100.0, -100.0]])
    found = model.eval()(ids, labels=rows)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        found.logits[:1], rows[:1]
    )
    assert found.loss.item() == pytest.approx(expected.item())
    plain = build_student("bigram", tokenizers["bigram"], buckets=64)
    assert plain.config.problem_type is None
    with pytest.raises(ValueError, match="problem_type must be one of"):
        build_student("bigram", tokenizers["bigram"], problem_type="regression")


def test_scripts_without_spaces_are_read_letter_by_letter():
    thai = [
        "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
        "\u0e44\u0e17\u0e22\u0e14\u0e35",
    ]
    kana = [
        "\u304b\u306a\u308a\u3088\u304b\u3063\u305f",
        "\u3088\u304b\u3063\u305f\u3067\u3059",
    ]
    for texts in (thai, kana):
        tokenizer = train_tokenizer(texts * 3, "bigram")
        first, second = (set(tokenizer(text)["input_ids"]) for text in texts)
        assert len(first & second - {tokenizer.unk_token_id}) >= 2
        assert tokenizer.unk_token_id not in first | second
    plain = train_tokenizer(["a fine film", "a dull film"] * 3, "bigram")
    assert "Split" not in plain.backend_tokenizer.to_str()
