"""Text as it is: nothing, endless, unseen, of every script (kind 14)."""

from judging import Case, gives, refused, says

ODD = {
    "empty": "",
    "a-space": " ",
    "zero-width": "\u200b\u200c\u200d\u2060\ufeff",
    "control": "\x00\x01\x1b\x7f",
    "right-to-left-marks": "\u202e\u202d\u200f",
    "surrogate": "a \ud83d b",
    "pair-of-surrogates": "a \ud83d\ude00 b",
    "emoji": "\U0001f600\U0001f44d",
    "emoji-family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "flags": "\U0001f1e9\U0001f1ea",
    "marks-alone": "\u0301\u0302",
    "many-marks": "a" + "\u0301" * 10_000,
    "one-word": "x" * 200_000,
    "one-han-word": "\u597d" * 50_000,
    "one-emoji-word": "\U0001f600" * 50_000,
    "long": "word " * 40_000,
    "private-use": "\ue000\uf8ff",
    "no-character": "\uffff\ufdd0",
    "rare-han": "\U00020000\U0002a6df",
    "greek-capitals": "\u039f\u0394\u039f\u03a3 \u03a3\u039f\u03a6\u039f\u03a3",
    "turkish": "\u0130STANBUL \u0131l\u0131k",
    "hindi": "\u092b\u093c\u093f\u0932\u094d\u092e",
    "thai": "\u0e20\u0e32\u0e1e\u0e22\u0e19\u0e15\u0e23\u0e4c",
    "ligatures": "\ufb01ne \ufdfa",
    "quotes": "\"'`\u201e\u201c",
    "nulls-between": "a\x00b\x00c",
    "new-lines": "a\r\nb\u2028c\u2029d\x85e",
    "markup": "<b>a</b> <br/> &amp; &#0; &#x110000; &lt;",
}


def cleaned(text):
    def act(place):
        from distill_helpers.data.cleaning import clean_text

        return clean_text(text)

    return act


def kept(name, text, value):
    return Case(14, f"clean-{name}", cleaned(text), gives(value))


def everywhere(text):
    """Ask student, bundle, pipeline, teacher and linear teacher about one text."""

    def act(place):
        import numpy as np

        from distill_helpers.evaluation.predict import predictor
        from distill_helpers.export.bundle import TextClassifier
        from distill_helpers.students.ngrams import word_hashes, words

        shop = place.shop
        found = [
            predictor(*shop.student)([text]),
            TextClassifier(shop.bundle)([text]),
            teacher(shop).logits([text]),
            [[len(word_hashes([text])), len(words(text))]],
        ]
        return all(np.isfinite(x).all() and np.shape(x) == (1, 2) for x in found)

    return act


def teacher(shop):
    from distill_helpers.teachers.live import HuggingFaceTeacher

    options = {"max_length": 32, "progress": False}
    return HuggingFaceTeacher(shop.bert, shop.bert_tokenizer, **options)


def piped(text):
    def act(place):
        from transformers import pipeline

        import distill_helpers  # noqa: F401 -- it tells transformers of the students

        asked = pipeline("text-classification", str(place.shop.saved), device="cpu")
        (found,) = asked([text])
        return 0 <= found["score"] <= 1 and found["label"] in ("negative", "positive")

    return act


def bundle(texts):
    def act(place):
        from distill_helpers.export.bundle import TextClassifier

        return TextClassifier(place.shop.bundle).classify(texts)

    return act


def predicted(texts):
    def act(place):
        from distill_helpers.evaluation.predict import predictor

        return predictor(*place.shop.student)(texts)

    return act


def onnx(texts):
    def act(place):
        from distill_helpers.export.onnx import OnnxClassifier

        return OnnxClassifier(place.shop.onnx, place.shop.student[1])(texts)

    return act


def judged(texts, labels):
    def act(place):
        from distill_helpers.training.recipes import judge

        return judge(*place.shop.student, texts, labels)

    return act


def grams(text):
    def act(place):
        from distill_helpers.students.ngrams import words

        return len(words(text))

    return act


def trained(texts, kind="text-cnn", **options):
    def act(place):
        from distill_helpers.students.tokenizers import train_tokenizer

        return train_tokenizer(texts, kind, **options)

    return act


def content(text):
    def act(place):
        from distill_helpers.data.cleaning import clean_text, has_content

        return has_content(clean_text(text))

    return act


def no_token(kind):
    """Ask a student about a batch without any token."""

    def act(place):
        import torch

        from distill_helpers.students.registry import build_student

        model = build_student(kind, place.shop.tokenizers[kind]).eval()
        logits = model(torch.zeros((2, 0), dtype=torch.long)).logits
        return logits.shape == (2, 2) and bool(torch.isfinite(logits).all())

    return act


CASES = [
    *(Case(14, f"no-token-{kind}", no_token(kind), gives(True)) for kind in ("bigram", "text-cnn", "tiny-transformer")),
    *(Case(14, f"everywhere-{name}", everywhere(text), gives(True), 30) for name, text in ODD.items()),
    *(Case(14, f"pipeline-{name}", piped(ODD[name]), gives(True), 30) for name in ("empty", "a-space", "zero-width", "control", "emoji", "one-word", "markup")),
    *(Case(14, f"cleaned-twice-{name}", lambda p, t=text: cleaned(cleaned(t)(p))(p) == cleaned(t)(p), gives(True), 30) for name, text in ODD.items() if name != "markup"),
    kept("less-than", "x < y and y > z", "x < y and y > z"),
    kept("an-address", "write to <name@host.org> now", "write to <name@host.org> now"),
    kept("a-heart", "i <3 it", "i <3 it"),
    kept("an-arrow", "a <- b -> c", "a <- b -> c"),
    kept("generics", "List<String> is fine", "List<String> is fine"),
    kept("a-comparison-without-spaces", "if a<b then", "if a<b then"),
    kept("a-lone-tag-at-the-end", "fine <", "fine <"),
    kept("breaks", "one<br>two<br />three", "one two three"),
    kept("zwnj", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    kept("entities", "caf&eacute; &lt;3", "caf\u00e9 <3"),
    kept("entity-without-end", "AT&T &amp T", "AT&T &amp T"),
    kept("numbers-with-commas", "paid 1,000.50 \u20ac", "paid 1,000.50 \u20ac"),
    kept("full-width", "\uff27\uff4f\uff4f\uff44\uff01", "Good!"),
    Case(14, "emoji-is-content", content("\U0001f600"), gives(True)),
    Case(14, "heart-is-content", content("\u2764\ufe0f"), gives(True)),
    Case(14, "money-is-content", content("$$$"), gives(True)),
    Case(14, "dots-are-none", content("..."), gives(False)),
    Case(14, "replacement-is-none", content("\ud83d"), gives(False)),
    Case(14, "grams-of-russian", grams("\u043e\u0447\u0435\u043d\u044c \u043f\u043b\u043e\u0445\u043e\u0439 \u0444\u0438\u043b\u044c\u043c"), gives(lambda n: n >= 3)),
    Case(14, "grams-of-german", grams("gr\u00f6\u00dfer als sch\u00f6n"), gives(lambda n: n >= 3)),
    Case(14, "grams-of-greek", grams("\u03ba\u03b1\u03bb\u03ae \u03c4\u03b1\u03b9\u03bd\u03af\u03b1"), gives(lambda n: n >= 2)),
    Case(14, "grams-of-chinese", grams("\u8fd9\u4e2a\u7535\u5f71\u5f88\u597d\u770b"), gives(lambda n: n >= 3)),
    Case(14, "bundle-a-single-text", bundle("one text"), refused("texts", "list")),
    Case(14, "bundle-nothing", bundle([]), gives([])),
    Case(14, "bundle-none", bundle(None), refused("texts", "NoneType")),
    Case(14, "bundle-a-none-inside", bundle(["a", None]), refused("text", "NoneType")),
    Case(14, "bundle-numbers", bundle([1, 2]), refused("text", "int")),
    Case(14, "bundle-bytes", bundle([b"a"]), refused("text", "bytes")),
    Case(14, "bundle-a-tuple", bundle(("a", "b")), gives(lambda f: len(f) == 2)),
    Case(14, "bundle-a-generator", lambda p: bundle(t for t in ["a", "b"])(p), gives(lambda f: len(f) == 2)),
    Case(14, "student-a-single-text", predicted("one text"), refused("texts", "list")),
    Case(14, "student-nothing", predicted([]), gives(lambda f: f.shape == (0, 2))),
    Case(14, "student-a-none-inside", predicted(["a", None]), refused("texts", "row 1")),
    Case(14, "student-numbers", predicted([1.5]), refused("texts", "float")),
    Case(14, "onnx-a-single-text", onnx("one text"), refused("texts", "list")),
    Case(14, "onnx-nothing", onnx([]), gives(lambda f: f.shape == (0, 2))),
    Case(14, "onnx-a-none-inside", onnx([None]), refused("texts", "row 0")),
    Case(14, "judge-nothing", judged([], []), refused("0|no text|at least")),
    Case(14, "judge-a-label-too-few", judged(["a", "b"], [1]), refused("2", "1")),
    Case(14, "judge-a-single-text", judged("ab", [0, 1]), refused("texts", "list")),
    Case(14, "tokeniser-of-nothing", trained([]), refused("texts")),
    Case(14, "tokeniser-of-empty-texts", trained(["", " "]), refused("texts")),
    Case(14, "tokeniser-of-a-single-text", trained("one text"), refused("texts", "list")),
    Case(14, "tokeniser-with-a-none", trained(["a", None]), refused("texts", "row 1")),
    Case(14, "tokeniser-of-no-student", trained(["a b"], "gru"), refused("gru")),
    Case(14, "tokeniser-of-no-words", trained(["a b"], vocab_size=0), refused("vocab_size", "0")),
    Case(14, "tokeniser-of-surrogates", trained(["a \ud800 b", "c d"]), gives(lambda t: len(t) > 2)),
    Case(14, "clean-none", cleaned(None), refused("text", "NoneType")),
    Case(14, "clean-bytes", cleaned(b"a"), refused("text", "bytes")),
    Case(14, "unknown-words-are-said", lambda p: teacher(p.shop).logits(["\u4e2d\u6587\u7535\u5f71"] * 9), says("unknown")),
]  # fmt: skip
