"""Small real models and reviews that the tests share."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may reach a network
# Processes side by side do not wait for each other by spinning; kernels inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault(
    "OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from fault_shop import pytest_terminal_summary, shop  # noqa: E402, F401
from transformers import BertConfig, BertForSequenceClassification  # noqa: E402

from distill_helpers.classroom.costs import read_costs  # noqa: E402
from distill_helpers.data.reviews import load_reviews  # noqa: E402
from distill_helpers.export.headless import (  # noqa: E402
    QUIET,
    HeadlessMissingError,
    find_chromium,
)
from distill_helpers.places import SAMPLE_REVIEWS  # noqa: E402
from distill_helpers.students.tokenizers import train_tokenizer  # noqa: E402
from distill_helpers.teachers.base import Teacher  # noqa: E402

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


try:
    CHROMIUM = find_chromium()
except HeadlessMissingError:
    CHROMIUM = None

RUN_ONCE = ("default_run", "solved_run", "lab")
"""Fixtures that take long: all who ask for one go to the same process."""

FULL = ("default_run", "lab", "cluster", "imdb_folder")
"""Those that take too long for every day."""

LONG_LESSON = 30
"""Seconds; a solved lesson whose stored run took longer is left to them as well."""


def is_full(name, notebook):
    """Say whether a test with this fixture belongs to the full tier alone."""
    if name != "solved_run":
        return name in FULL
    stored = read_costs()["lessons"].get(notebook.stem, {"seconds": 0})
    return stored["seconds"] > LONG_LESSON


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        for name in {*RUN_ONCE, *FULL} & set(item.fixturenames):
            notebook = getattr(item, "callspec", None)
            notebook = notebook and notebook.params.get("notebook")
            if name in RUN_ONCE:
                group = f"{name} {notebook.name if notebook else ''}".strip()
                item.add_marker(pytest.mark.xdist_group(group))
            if is_full(name, notebook):
                item.add_marker(pytest.mark.full)


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window, for modules that skip where there is none."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reviews():
    """The sample with its fixed split."""
    assert SAMPLE_REVIEWS.is_file()
    return load_reviews("sample")


@pytest.fixture(scope="session")
def texts(reviews):
    return list(reviews["train"]["text"])[:64]


@pytest.fixture(scope="session")
def labels(reviews):
    return list(reviews["train"]["label"])[:64]


@pytest.fixture(scope="session")
def bert_tokenizer(texts):
    """A tokeniser with the special tokens that a BERT expects."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=600, special_tokens=special, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    from tokenizers.processors import TemplateProcessing

    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    )


ODD_TEXTS = [
    "",
    "a",
    "word " * 3_000,
    "Caf\u00e9, na\u00efve \u2014 \u00fcber \u00e7a",
    "\U0001f600\U0001f44d",
    "\u4e2d\u6587\u7535\u5f71\u5f88\u597d\u770b",
]
"""What a classifier may be asked besides reviews."""


def small_bert(tokenizer, **shape):
    """Build a teacher of the real kind, one thousandth of the size."""
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 256,
    }
    if "num_labels" not in shape:
        settings["id2label"] = {0: "negative", 1: "positive"}
    return BertForSequenceClassification(BertConfig(**(settings | shape))).eval()


@pytest.fixture(scope="session")
def bert(bert_tokenizer):
    torch.manual_seed(0)
    return small_bert(
        bert_tokenizer,
        num_hidden_layers=2,
        max_position_embeddings=64,
        initializer_range=0.5,
    )


@pytest.fixture(scope="session")
def tokenizers(texts):
    """One tokeniser for each kind of student."""
    return {
        name: train_tokenizer(texts, name, vocab_size=800)
        for name in ("bigram", "text-cnn", "tiny-transformer")
    }


@pytest.fixture(scope="session")
def trained(reviews):
    """Train a student of a kind a little, once: give model and tokeniser."""
    from distill_helpers.data.encoding import encode_reviews
    from distill_helpers.training.recipes import train_student

    made = {}
    steps = {"bigram": 60, "text-cnn": 60, "tiny-transformer": 20}

    def get(kind):
        if kind not in made:
            part = reviews["train"].select(range(200))
            tokenizer = train_tokenizer(part["text"], kind, vocab_size=4_000)
            reads = encode_reviews(part, tokenizer)
            model = train_student(
                kind, tokenizer, reads, reads, steps=steps[kind], best=False
            )
            made[kind] = model.eval(), tokenizer
        return made[kind]

    return get


@pytest.fixture
def labelled(texts, labels):
    return Dataset.from_dict({"text": texts, "label": labels})


@pytest.fixture(scope="session")
def small_mirror(tmp_path_factory):
    """The sample in the layout of the Hub's IMDB."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "plain_text").mkdir()
    # As on the Hub, the README says which file is which split.
    lines = ["---", "configs:", "- config_name: plain_text", "  data_files:"]
    for name in ("train", "test", "unsupervised"):
        lines += [f"  - split: {name}", f"    path: plain_text/{name}-*"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    rows = pd.read_json(SAMPLE_REVIEWS, lines=True)[["text", "label"]]
    parts = {"train": rows[:1500], "test": rows[1500:2400], "unsupervised": rows[2400:]}
    parts["unsupervised"] = parts["unsupervised"].assign(label=-1)
    for name, part in parts.items():
        path = folder / "plain_text" / f"{name}-00000-of-00001.parquet"
        part.to_parquet(path, index=False)
    return folder


class CountingTeacher(Teacher):
    """Answers by the length of a text and counts how often it is asked."""

    num_labels = 2

    def __init__(self, fingerprint="counting"):
        self.fingerprint = fingerprint
        self.asked = []

    def logits(self, texts):
        self.asked += list(texts)
        lengths = np.array([len(text) for text in texts], np.float32)
        return np.stack([lengths % 7 - 3, lengths % 5 - 2], axis=1)


@pytest.fixture
def counting_teacher():
    return CountingTeacher()


@pytest.fixture
def pair():
    """Logits of a student and of a surer teacher, for four classes."""
    generator = torch.Generator().manual_seed(0)
    student = torch.randn(6, 4, generator=generator)
    teacher = torch.randn(6, 4, generator=generator) * 3
    return student, teacher


# ------------------------------------------- a stranger's file (tests of own_data)
TICKETS = {
    "billing": "invoice charge payment card bill amount receipt tax".split(),
    "delivery": "parcel courier tracking address late lost driver depot".split(),
    "login": "password account sign reset code locked mail phone".split(),
}
FILLING = "hello please the my was it can you for with this not when have".split()


def tickets(rows=120, seed=0):
    """Make short texts of three classes, two thirds of them labelled."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        name = rng.choice(list(TICKETS), p=[0.5, 0.3, 0.2])
        words = rng.choice(FILLING, 9).tolist()
        words += rng.choice(TICKETS[name], 3).tolist() + [f"no{number}"]
        rng.shuffle(words)
        part = ("train", "transfer", "validation", "test")[number % 4]
        label = "" if part == "transfer" else name
        found.append((" ".join(words), label, part, name))
    return pd.DataFrame(found, columns=["text", "label", "split", "true"])


@pytest.fixture(scope="session")
def frame():
    return tickets()


@pytest.fixture(scope="session")
def file(frame, tmp_path_factory):
    """The file, as somebody would bring it."""
    path = tmp_path_factory.mktemp("own") / "tickets.csv"
    frame[["text", "label", "split"]].to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def answers(frame, tmp_path_factory):
    """A table of a teacher's probabilities, its columns in another order."""
    names = sorted(TICKETS, reverse=True)
    columns = {"text": frame["text"]}
    for name in names:
        columns[name] = np.where(frame["true"] == name, 0.8, 0.1)
    path = tmp_path_factory.mktemp("teacher") / "answers.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path
