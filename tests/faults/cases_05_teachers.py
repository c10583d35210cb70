"""Teachers that must not be trusted blindly, and caches that lie (kinds 5 and 6)."""

import json
import math
import os
import shutil
from functools import cache

import numpy as np
from helping import jsonl, lines, text
from judging import Case, gives, refused, says


# ---------------------------------------------------------------- saved classifiers
@cache
def saved(shop):
    """A folder with a whole classifier; each case gets a copy."""
    folder = shop.folder / "teacher"
    shop.bert.save_pretrained(folder)
    shop.bert_tokenizer.save_pretrained(folder)
    return folder


def folder(change=None, ask=("a fine film",), **options):
    """Open a changed copy of the classifier as a teacher, and ask it."""

    def act(place):
        from distill_helpers.teachers.opening import open_teacher

        made = place.folder / "teacher"
        shutil.copytree(saved(place.shop), made)
        if change is not None:
            change(made)
        for path in made.rglob("*"):
            place.guard(path)
        teacher = open_teacher(made, place.out("cache"), max_length=32, **options)
        return teacher.logits(list(ask))

    return act


def rewritten(name, **values):
    def change(made):
        path = made / name
        content = json.loads(path.read_text("utf-8"))
        for key, value in values.items():
            if value is None:
                content.pop(key, None)
            else:
                content[key] = value
        path.write_text(json.dumps(content), "utf-8")

    return change


def written(name, content):
    def change(made):
        path = made / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def removed(*names):
    def change(made):
        for pattern in names:
            for path in made.glob(pattern):
                path.unlink()

    return change


def tensors(alter):
    def change(made):
        from safetensors.torch import load_file, save_file

        path = made / "model.safetensors"
        save_file(alter(load_file(path)), path, {"format": "pt"})

    return change


def poisoned(weights):
    weights["classifier.weight"] = weights["classifier.weight"] * math.nan
    return weights


def without(part):
    return lambda weights: {k: v for k, v in weights.items() if part not in k}


def wider(weights):
    import torch

    weights["classifier.weight"] = torch.ones(5, 32)
    weights["classifier.bias"] = torch.ones(5)
    return weights


def flipped(name, at):
    def change(made):
        data = bytearray((made / name).read_bytes())
        data[at] ^= 0xFF
        (made / name).write_bytes(bytes(data))

    return change


def broken_link(made):
    (made / "model.safetensors").unlink()
    (made / "model.safetensors").symlink_to(made / "away")


def opened(name, **options):
    def act(place):
        from distill_helpers.teachers.opening import open_teacher

        return open_teacher(
            name(place) if callable(name) else name, place.out("cache"), **options
        )

    return act  # fmt: skip


# ------------------------------------------------------------------ tables of answers
def table(content, name="answers.csv", ask=None, **options):
    def act(place):
        from distill_helpers.teachers.opening import open_teacher

        options.setdefault("label_names", ["bad", "good"])
        teacher = open_teacher(place.write(name, content), place.out(), **options)
        return teacher.logits(ask or ["a b", "c d"])

    return act


def rows(*cells, header="text,bad,good"):
    return "\n".join([header, *cells]) + "\n"


def close(*expected):
    return gives(lambda found: np.allclose(found, expected, atol=1e-4))


# --------------------------------------------------------------- teachers of one's own
def own(answer, texts=("a b", "c d"), labels=None, names=None, width=2):
    """A teacher of the user's that answers so, behind encoder and trainer."""

    def act(place):
        from datasets import Dataset

        from distill_helpers.data.encoding import encode_reviews

        columns = {"text": list(texts)} | ({} if labels is None else {"label": labels})
        teacher = answering(answer, names, width)
        reader = place.shop.student[1]
        return encode_reviews(Dataset.from_dict(columns), reader, teacher)

    return act


def answering(answer, names=None, width=2, fingerprint="mine"):
    from distill_helpers.teachers.base import Teacher

    class Mine(Teacher):
        num_labels = width

        def logits(self, texts):
            return answer(texts)

    teacher = Mine()
    teacher.label_names, teacher.fingerprint = names, fingerprint
    return teacher


def right(texts):
    return np.array([[len(t) % 5 - 2.5, len(t) % 7 - 3.5] for t in texts], np.float32)


def trusted(answer, labels=None):
    """A trainer that gets a teacher and many labelled texts."""

    def act(place):
        from datasets import Dataset

        from distill_helpers.training.config import DistillationConfig
        from distill_helpers.training.trainer import DistillationTrainer

        model, reader = place.shop.student
        y = [i % 2 for i in range(100)] if labels is None else labels
        data = Dataset.from_dict({"text": [text(i) for i in range(100)], "label": y})
        args = DistillationConfig(output_dir=str(place.out()), use_cpu=True)
        order = {text(i): y[i] for i in range(100)}
        teacher = answering(lambda texts: answer([order[t] for t in texts]))
        DistillationTrainer(model, teacher, args, data, processing_class=reader)

    return act


def ordered(names, wanted, mapping=None):
    def act(place):
        from distill_helpers.teachers.ordering import in_order

        teacher = answering(right, names, len(names or (0, 0)))
        return in_order(teacher, wanted, mapping).logits(["a b"]).tolist()

    return act


def made(labels=(), rows=40, **options):
    def act(place):
        from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

        from distill_helpers.data.reviews import load_reviews
        from distill_helpers.teachers.making import make_teacher

        reviews = load_reviews(place.write("own.csv", lines(rows)))
        if labels:
            train = {
                "text": [text(i) for i in range(len(labels))],
                "label": list(labels),
            }
            kinds = Features(
                {"text": Value("string"), "label": ClassLabel(names=["x", "y"])}
            )
            reviews = DatasetDict(train=Dataset.from_dict(train, kinds))
        return make_teacher(reviews, progress=False, **options)

    return act  # fmt: skip


# ---------------------------------------------------------------------------- caches
def cached(harm, texts=("a", "bb", "ccc"), teacher=None, again=None):
    """Fill a cache, harm it, and ask again: the right answers must come."""

    def act(place):
        from distill_helpers.teachers.cached import CachedTeacher

        first = answering(right, ["x", "y"]) if teacher is None else teacher()
        expected = CachedTeacher(first, place.out()).logits(list(texts))
        (path,) = place.out().rglob("*.parquet")
        harm(path)
        second = first if again is None else again()
        found = CachedTeacher(second, place.out(), patience=0.2).logits(list(texts))
        return np.array_equal(
            found, expected if again is None else second.logits(texts)
        )

    return act  # fmt: skip


def stored(**changes):
    """Write a file of the cache's kind with other content and a fitting checksum."""

    def harm(path):
        from distill_helpers.data.cleaning import text_hash
        from distill_helpers.teachers.stored import write_soft_targets

        values = {
            "keys": [text_hash(t) for t in ("a", "bb", "ccc")],
            "logits": np.array([[9.0, -9.0]] * 3),
            "fingerprint": "mine",
            "label_names": ["x", "y"],
        } | changes
        write_soft_targets(path, **values)

    return harm


def meta(content):
    def harm(path):
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        pq.write_table(
            table.replace_schema_metadata({"distill_helpers": content}), path
        )

    return harm  # fmt: skip


def becomes(content):
    return lambda path: path.write_bytes(content)


def beside(name, content=b"x"):
    return lambda path: (path.parent / name).write_bytes(content)


def a_folder(path):
    (path.parent / "strange.parquet").mkdir()


def a_link(path):
    (path.parent / "dangling.parquet").symlink_to(path.parent / "away")


def a_pipe(path):
    os.mkfifo(path.parent / "pipe.parquet")


def a_lock_that_is_a_folder(path):
    (path.parent / ".lock").unlink(missing_ok=True)
    (path.parent / ".lock").mkdir()


def asked(texts, teacher=right, **options):
    def act(place):
        from distill_helpers.teachers.cached import CachedTeacher

        return CachedTeacher(answering(teacher), place.out(), **options).logits(texts)

    return act


def in_the_way(place):
    from distill_helpers.teachers.cached import CachedTeacher

    place.write("cache", "a file")
    return CachedTeacher(answering(right), place.folder / "cache").logits(["a"])


def changed_meanwhile(place):
    from distill_helpers.teachers.cached import CachedTeacher

    teacher = answering(right)
    cache = CachedTeacher(teacher, place.out())
    cache.logits(["a"])
    teacher.fingerprint = "another"
    return cache.logits(["a"])


def full_disk(place):
    from unittest import mock

    from distill_helpers.teachers import stored as module
    from distill_helpers.teachers.cached import CachedTeacher

    def full(table, path, **options):
        path.write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    with mock.patch.object(module.pq, "write_table", full):
        return CachedTeacher(answering(right), place.out()).logits(["a"])


NAN = math.nan
PLAIN = rows("a b,0.2,0.8", "c d,0.9,0.1")

CASES = [
    Case(5, "a-whole-folder", folder(), gives(lambda found: np.isfinite(found).all())),
    Case(5, "no-tokeniser-files", folder(removed("token*", "vocab*", "special*")), refused("special", "tokenizer")),
    Case(5, "tokeniser-torn", folder(written("tokenizer.json", "{\"version")), refused("teacher=")),
    Case(5, "tokeniser-empty", folder(written("tokenizer.json", "")), refused("teacher=")),
    Case(5, "tokeniser-config-torn", folder(written("tokenizer_config.json", "{")), refused("teacher=")),
    Case(5, "no-weights", folder(removed("model.safetensors")), refused("teacher=", "safetensors")),
    Case(5, "weights-empty", folder(written("model.safetensors", b"")), refused("teacher=", "damaged")),
    Case(5, "weights-an-lfs-pointer", folder(written("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n")), refused("teacher=", "damaged|LFS")),
    Case(5, "weights-an-error-page", folder(written("model.safetensors", "<html>404</html>")), refused("teacher=", "damaged")),
    Case(5, "weights-header-flipped", folder(flipped("model.safetensors", 3)), refused("teacher=", "damaged")),
    Case(5, "weights-a-broken-link", folder(broken_link), refused("teacher=", "safetensors")),
    Case(5, "weights-not-numbers", folder(tensors(poisoned)), refused("logits", "finite", leaves=True)),
    Case(5, "no-head", folder(tensors(without("classifier"))), refused("no trained classifier", "classifier")),
    Case(5, "a-layer-is-missing", folder(tensors(without("layer.1"))), refused("no trained classifier", "layer.1")),
    Case(5, "head-of-five-classes", folder(tensors(wider)), refused("teacher=")),
    Case(5, "config-torn", folder(written("config.json", "{\"model_type\":")), refused("teacher=", "config.json")),
    Case(5, "config-a-list", folder(written("config.json", "[]")), refused("teacher=")),
    Case(5, "config-null", folder(written("config.json", "null")), refused("teacher=")),
    Case(5, "config-empty-object", folder(written("config.json", "{}")), refused("teacher=")),
    Case(5, "config-of-no-known-kind", folder(rewritten("config.json", model_type="mine")), refused("teacher=")),
    Case(5, "config-of-a-regression", folder(rewritten("config.json", id2label={"0": "score"}, label2id={"score": 0})), refused("teacher=|two classes")),
    Case(5, "config-width-of-another", folder(rewritten("config.json", hidden_size=48)), refused("teacher=")),
    Case(5, "config-vocabulary-too-small", folder(rewritten("config.json", vocab_size=10)), refused("teacher=|tokens")),
    Case(5, "config-is-of-a-decoder", folder(rewritten("config.json", architectures=["BertLMHeadModel"])), gives(lambda found: found.shape == (1, 2))),
    Case(5, "names-are-doubled", folder(rewritten("config.json", id2label={"0": "x", "1": "x"}), label_names=["bad", "good"]), refused("x")),
    Case(5, "names-are-LABEL-0", folder(rewritten("config.json", id2label={"0": "LABEL_0", "1": "LABEL_1"}), label_names=["bad", "good"]), refused("LABEL_0", "mapping")),
    Case(5, "names-with-a-gap", folder(rewritten("config.json", id2label={"0": "bad", "2": "good"}), label_names=["bad", "good"]), refused("id2label", "2")),
    Case(5, "names-of-another-task", folder(label_names=["sport", "politics"]), refused("negative", "sport")),
    Case(5, "names-of-three-classes", folder(label_names=["negative", "positive", "neutral"]), refused("neutral")),
    Case(5, "names-in-another-order", lambda p: (folder(label_names=["positive", "negative"])(p) == folder_flipped(p)).all(), gives(True)),
    Case(5, "names-in-another-case", folder(label_names=["NEGATIVE", "Positive"]), gives(lambda found: found.shape == (1, 2))),
    Case(5, "mapping-to-no-class", folder(label_names=["bad", "good"], mapping={"negative": "bad", "positive": "fine"}), refused("fine")),
    Case(5, "mapping-from-no-class", folder(label_names=["bad", "good"], mapping={"neg": "bad", "pos": "good"}), refused("neg")),
    Case(5, "mapping-of-both-to-one", folder(label_names=["bad", "good"], mapping={"negative": "bad", "positive": "bad"}), refused("bad")),
    Case(5, "mapping-a-list", folder(label_names=["bad", "good"], mapping=["bad", "good"]), refused("mapping", "list")),
    Case(5, "mapping-by-number", folder(label_names=["bad", "good"], mapping={0: "bad", 1: "good"}), gives(lambda found: found.shape == (1, 2))),
    Case(5, "max-length-too-long", lambda p: opened(str(saved(p.shop)), max_length=9_000)(p), refused("max_length", "9000")),
    Case(5, "max-length-a-word", lambda p: opened(str(saved(p.shop)), max_length="64")(p), refused("max_length", "'64'")),
    Case(5, "batch-size-zero", lambda p: opened(str(saved(p.shop)), max_length=32, batch_size=0)(p), refused("batch_size", "0")),
    Case(5, "an-option-of-none", lambda p: opened(str(saved(p.shop)), maxlength=32)(p), refused("maxlength")),
    Case(5, "asked-one-text", folder(ask="a fine film".split(), change=None), gives(lambda found: found.shape == (3, 2))),
    Case(5, "asked-a-string", lambda p: live(p).logits("a fine film"), refused("texts", "list")),
    Case(5, "asked-a-none", lambda p: live(p).logits(["a", None]), refused("texts", "row 1")),
    Case(5, "asked-nothing", lambda p: live(p).logits([]), gives(lambda found: found.shape == (0, 2))),
    Case(5, "asked-nothing-but-spaces", lambda p: live(p).logits(["", " "]), gives(lambda found: np.isfinite(found).all())),
    Case(5, "asked-a-lone-surrogate", lambda p: live(p).logits(["a \ud800"]), gives(lambda found: np.isfinite(found).all())),
    Case(5, "asked-in-chinese", lambda p: live(p).logits(["很好看的电影" * 9] * 9), says("unknown", "tokeniser")),
    Case(5, "no-such-teacher", opened("nobody/here"), refused("nobody/here", "Hub")),
    Case(5, "a-name-with-a-space", opened("my teacher"), refused("my teacher", "Hub")),
    Case(5, "a-name-with-two-slashes", opened("a/b/c"), refused("a/b/c", "folder")),
    Case(5, "a-name-of-10000-letters", opened("a" * 10_000), refused("teacher=")),
    Case(5, "no-name", opened(""), refused("teacher")),
    Case(5, "none", opened(None), refused("teacher")),
    Case(5, "an-empty-folder", opened(lambda p: (p.out("t").mkdir(), p.out("t"))[1]), refused("config.json", "save_pretrained")),
    Case(5, "a-file-that-is-no-table", opened(lambda p: p.write("teacher.bin", b"\0\1")), refused("teacher")),
    Case(5, "a-weights-file-alone", opened(lambda p: p.write("model.safetensors", b"\0\1")), refused("teacher")),
    # ---------------------------------------------------------------- tables
    Case(5, "table-of-probabilities", table(PLAIN), close(np.log([0.2, 0.8]), np.log([0.9, 0.1]))),
    Case(5, "table-of-logits", table(rows("a b,-1.5,2", "c d,3,-4")), close([-1.5, 2], [3, -4])),
    Case(5, "table-of-labels", table(rows("a b,good", "c d,bad", header="text,label")), gives(lambda f: (f.argmax(1) == [1, 0]).all())),
    Case(5, "table-lacks-a-text", table(PLAIN, ask=["a b", "never seen"]), refused("1 of 2 texts", "never seen")),
    Case(5, "table-sum-is-not-one", table(rows("a b,0.2,0.7", "c d,0.9,0.1")), refused("line 2", "sum")),
    Case(5, "table-of-percent", table(rows("a b,20,80", "c d,90,10")), refused("100")),
    Case(5, "table-negative-probability", table(rows("a b,-0.2,1.2", "c d,0.9,0.1"), values="probabilities"), refused("line 2", "\\[0, 1\\]")),
    Case(5, "table-said-logits-are-not", table(PLAIN, values="logits"), refused("probabilities")),
    Case(5, "table-nan", table(rows("a b,nan,0.8", "c d,0.9,0.1")), refused("line 2")),
    Case(5, "table-inf", table(rows("a b,inf,0.8", "c d,0.9,0.1")), refused("line 2", "finite")),
    Case(5, "table-half-a-row", table(rows("a b,0.2,", "c d,0.9,0.1")), refused("line 2", "good")),
    Case(5, "table-word-for-number", table(rows("a b,high,low", "c d,0.9,0.1")), refused("bad|line 2")),
    Case(5, "table-decimal-commas", table('text;bad;good\na b;"0,2";"0,8"\nc d;"0,9";"0,1"\n'), refused("line 2|0,2")),
    Case(5, "table-two-answers", table(rows("a b,0.2,0.8", "a b,0.8,0.2", "c d,0.9,0.1")), refused("line 3", "line 2")),
    Case(5, "table-answers-alike", table(rows("a b,0.2,0.8", "a b,0.2,0.8", "c d,0.9,0.1")), gives(lambda f: f.shape == (2, 2))),
    Case(5, "table-of-other-classes", table(rows("a b,0.2,0.8", "c d,0.9,0.1", header="text,sport,news")), refused("sport", "bad")),
    Case(5, "table-of-a-third-class", table(rows("a b,0.2,0.7,0.1", "c d,0.8,0.1,0.1", header="text,bad,good,mixed")), refused("mixed")),
    Case(5, "table-in-another-order", table(rows("a b,0.8,0.2", "c d,0.1,0.9", header="text,good,bad")), close(np.log([0.2, 0.8]), np.log([0.9, 0.1]))),
    Case(5, "table-without-text", table(rows("0.2,0.8", header="bad,good")), refused("text")),
    Case(5, "table-hash-of-no-text", table(rows("zz,0.2,0.8", header="text_hash,bad,good")), refused("line 2", "32")),
    Case(5, "table-of-nothing", table(rows()), refused("row|answer")),
    Case(5, "table-refusals-of-a-model", table(rows("a b,I cannot say", "c d,bad", header="text,label")), refused("I cannot say", "line 2")),
    Case(5, "table-answers-in-sentences", table(rows("a b,Good.", "c d,bad", header="text,label")), refused("Good", "line 2")),
    Case(5, "table-values-of-no-kind", table(PLAIN, values="percent"), refused("values", "percent")),
    Case(5, "table-smoothing-of-one", table(rows("a b,good", "c d,bad", header="text,label"), smoothing=1), refused("smoothing")),
    Case(5, "table-jsonl-with-lists", table(jsonl([{"text": "a b", "bad": [0.2], "good": [0.8]}]), "a.jsonl"), refused("bad|line 1")),
    Case(5, "table-empty-cells-mean-no-answer", table(rows("a b,,", "c d,0.9,0.1"), ask=["c d"]), gives(lambda f: f.shape == (1, 2))),
    Case(5, "table-all-one-and-zero", table(rows("a b,0,1", "c d,1,0")), gives(lambda f: np.isfinite(f).all() and (f.argmax(1) == [1, 0]).all())),
    # --------------------------------------------------------- teachers of one's own
    Case(5, "one-row-too-many", own(lambda t: np.zeros((len(t) + 1, 2))), refused("teacher's logits", "shape")),
    Case(5, "one-row-too-few", own(lambda t: np.zeros((len(t) - 1, 2))), refused("teacher's logits", "shape")),
    Case(5, "one-class-too-many", own(lambda t: np.zeros((len(t), 3))), refused("teacher's logits", "shape")),
    Case(5, "a-number-for-each", own(lambda t: np.zeros(len(t))), refused("teacher's logits", "shape")),
    Case(5, "none-for-an-answer", own(lambda t: None), refused("teacher's logits")),
    Case(5, "words-for-an-answer", own(lambda t: [["a", "b"]] * len(t)), refused("teacher's logits")),
    Case(5, "ragged-answers", own(lambda t: [[1.0], [1.0, 2.0]]), refused("teacher's logits")),
    Case(5, "nan-for-an-answer", own(lambda t: np.full((len(t), 2), NAN)), refused("teacher's logits", "finite")),
    Case(5, "probabilities-for-an-answer", own(lambda t: np.full((len(t), 2), 0.5)), refused("probabilities", "log")),
    Case(5, "float16-answers", own(lambda t: right(t).astype(np.float16)), gives(lambda d: d.teacher_logits.dtype == np.float32)),
    Case(5, "answers-of-torch", own(lambda t: __import__("torch").from_numpy(right(t))), gives(lambda d: d.teacher_logits.shape == (2, 2))),
    Case(5, "a-class-for-a-teacher", lambda p: trainer_with(p, str), refused("teacher_model")),
    Case(5, "a-name-for-a-teacher", lambda p: trainer_with(p, "bert-base"), refused("teacher_model", "str")),
    Case(5, "a-model-without-tokeniser", lambda p: trainer_with(p, p.shop.bert), refused("teacher_processing_class")),
    Case(5, "a-teacher-of-three", lambda p: trainer_with(p, answering(right, None, 3)), refused("3 classes", "2")),
    Case(5, "turned-round", trusted(lambda y: np.array([[2.0 * k - 1, 1 - 2.0 * k] for k in y])), says("worse than chance")),
    Case(5, "always-the-same", trusted(lambda y: np.array([[1.0, -1.0]] * len(y))), says("chance")),
    Case(5, "order-by-name", ordered(["x", "y"], ["y", "x"]), gives([[-0.5, 0.5]])),
    Case(5, "order-without-names", ordered(None, ["y", "x"]), refused("mapping", "'y'")),
    Case(5, "order-of-twins", ordered(["x", "X"], ["x", "y"]), refused("x")),
    Case(5, "order-of-a-string", ordered(["x", "y"], "xy"), refused("label_names")),
    Case(5, "make-of-one-class", made([0] * 20), refused("class")),
    Case(5, "make-of-no-label", made([-1] * 20), refused("label")),
    Case(5, "make-of-three-texts", made([0, 1, 0]), gives(lambda t: "guess" in str(t.about["warnings"]))),
    Case(5, "make-with-one-fold", made(folds=1), refused("folds", "1")),
    Case(5, "make-with-an-unknown-way", made(how="magic"), refused("how", "magic")),
    Case(5, "make-frozen-of-nothing", made(how="frozen"), refused("encoder")),
    Case(5, "make-of-no-encoder", made(how="frozen", encoder="no/where"), refused("no/where")),
    Case(5, "make-linear-with-encoder", made(how="linear", encoder="x"), refused("encoder")),
    Case(5, "make-of-no-reviews", lambda p: make_of({}), refused("train")),
    Case(5, "make-of-a-path", lambda p: make_of("own.csv"), refused("reviews", "str")),
    # ------------------------------------------------------------------ kind 6
    Case(6, "cut", cached(lambda p: p.write_bytes(p.read_bytes()[:-40])), says("set aside", holds=bool)),
    Case(6, "empty-file", cached(becomes(b"")), says("set aside", holds=bool)),
    Case(6, "text-for-parquet", cached(becomes(b"hello")), says("set aside", holds=bool)),
    Case(6, "zeros", cached(lambda p: p.write_bytes(b"\0" * p.stat().st_size)), says("set aside", holds=bool)),
    Case(6, "of-another-teacher", cached(stored(fingerprint="other")), says("another teacher", holds=bool)),
    Case(6, "of-other-classes", cached(stored(label_names=["y", "x"])), says("names of the classes", holds=bool)),
    Case(6, "of-three-classes", cached(stored(logits=np.ones((3, 3)), label_names=list("abc"))), says("number of classes", holds=bool)),
    Case(6, "notes-no-json", cached(meta(b"{")), says("damaged", holds=bool)),
    Case(6, "notes-a-list", cached(meta(b"[]")), says("damaged", holds=bool)),
    Case(6, "notes-null", cached(meta(b"null")), says("damaged", holds=bool)),
    Case(6, "notes-too-deep", cached(meta(b"[" * 100_000)), says("damaged", holds=bool)),
    Case(6, "notes-no-utf-8", cached(meta(b"\xff\xfe")), says("damaged", holds=bool)),
    Case(6, "notes-without-checksum", cached(meta(b'{"fingerprint": "mine"}')), says("damaged", holds=bool)),
    Case(6, "notes-of-numbers", cached(meta(b'{"fingerprint": 1, "checksum": 2, "label_names": [1, 2]}')), says("damaged", holds=bool)),
    Case(6, "a-folder-called-parquet", cached(a_folder), gives(True)),
    Case(6, "a-broken-link-called-parquet", cached(a_link), gives(True)),
    Case(6, "a-pipe-called-parquet", cached(a_pipe), gives(True)),
    Case(6, "a-lock-that-is-a-folder", cached(a_lock_that_is_a_folder), gives(True)),
    Case(6, "strange-files-beside", cached(beside("Thumbs.db")), gives(True)),
    Case(6, "temporary-file-left", cached(beside(".x.parquet.1.tmp")), gives(True)),
    Case(6, "weights-of-another-day", cached(lambda p: None, again=lambda: answering(lambda t: -right(t), ["x", "y"], fingerprint="new")), gives(True)),
    Case(6, "changed-while-open", changed_meanwhile, refused("has changed", "CachedTeacher", leaves=True)),
    Case(6, "a-file-in-the-way", in_the_way, refused("cache")),
    Case(6, "a-full-disk", full_disk, refused("space|disk", leaves=True)),
    Case(6, "nan-is-not-kept", asked(["a"], lambda t: np.full((len(t), 2), NAN)), refused("finite", leaves=True)),
    Case(6, "probabilities-are-not-kept", asked(["a", "b"], lambda t: np.full((len(t), 2), 0.5)), refused("probabilities", leaves=True)),
    Case(6, "answers-missing", asked(["a", "b"], lambda t: right(t)[:1]), refused("shape", leaves=True)),
    Case(6, "answers-none", asked(["a", "b"], lambda t: None), refused("logits", leaves=True)),
    Case(6, "asked-for-nothing", asked([]), gives(lambda f: f.shape == (0, 2))),
    Case(6, "asked-a-string", asked("abc"), refused("texts", "list")),
    Case(6, "asked-a-none", asked(["a", None]), refused("texts", "row 1")),
    Case(6, "asked-the-same-twice", asked(["a", "a"]), gives(lambda f: (f[0] == f[1]).all())),
    Case(6, "asked-a-surrogate", asked(["\ud800"]), gives(lambda f: f.shape == (1, 2))),
    Case(6, "chunk-zero", asked(["a"], chunk=0), refused("chunk", "0")),
    Case(6, "patience-nan", asked(["a"], patience=NAN), refused("patience", "nan")),
    Case(6, "folder-none", lambda p: cache_in(None), refused("folder")),
]  # fmt: skip


def folder_flipped(place):
    shutil.rmtree(place.folder / "teacher")
    return folder()(place)[:, ::-1]


def live(place):
    from distill_helpers.teachers.live import HuggingFaceTeacher

    shop = place.shop
    return HuggingFaceTeacher(shop.bert, shop.bert_tokenizer, max_length=32, progress=False)  # fmt: skip


def trainer_with(place, teacher):
    from datasets import Dataset

    from distill_helpers.training.config import DistillationConfig
    from distill_helpers.training.trainer import DistillationTrainer

    model, reader = place.shop.student
    args = DistillationConfig(output_dir=str(place.out()), use_cpu=True)
    data = Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]})
    return DistillationTrainer(model, teacher, args, data, processing_class=reader)


def make_of(reviews):
    from distill_helpers.teachers.making import make_teacher

    return make_teacher(reviews, progress=False)


def cache_in(folder):
    from distill_helpers.teachers.cached import CachedTeacher

    return CachedTeacher(answering(right), folder)
