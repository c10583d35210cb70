"""Parts that fall short, texts that are alike, and slow ones (kinds 3 and 4)."""

import pandas as pd
from helping import load, text
from judging import Case, gives, refused

ODD = ("train", "transfer", "validation", "test")


def sizes(reviews):
    return tuple(len(reviews[part]) for part in ODD)


def table(rows, **columns):
    frame = pd.DataFrame(
        {"text": [text(i) for i in range(rows)], "label": ["a", "b"] * (rows // 2)}
    )
    return frame.assign(**columns).to_csv(index=False)  # fmt: skip


def copies(rows, times, mark=" again"):
    """Each text stands there several times, nearly the same."""
    texts = [text(i) + mark * j for j in range(times) for i in range(rows)]
    labels = ["a", "b"] * (rows // 2) * times
    return pd.DataFrame({"text": texts, "label": labels}).to_csv(index=False)


def parts(*names, rows=40):
    return table(rows, split=[names[i % len(names)] for i in range(rows)])


def opposed(count=60):
    frame = pd.DataFrame(
        {
            "text": [
                f"{text(i // 2)} it was {'good bad'.split()[i % 2]}"
                for i in range(count)
            ],
            "label": ["yes", "no"] * (count // 2),
        }
    )
    return frame.to_csv(index=False)  # fmt: skip


def shared_words(reviews):
    """Texts of train that stand in another part as well."""
    return {t for t in reviews["train"]["text"]} & {
        t for part in ODD[1:] for t in reviews[part]["text"]
    }


def twice(**options):
    def act(place):
        first = load(table(120), **options)(place)
        other = load(table(120), **options, seed=7)(place)
        return [
            set(first[p]["text"]) == set(other[p]["text"])
            for p in ("test", "validation", "train")
        ]

    return act


FOOTER = " This message and its attachments are confidential and meant for the" * 3


def groups(texts):
    def act(place):
        from distill_helpers.data.duplicates import duplicate_groups

        found = duplicate_groups(texts(), progress=False)
        return len(set(found))

    return act


def unlike(count, tail=""):
    return [f"{text(i)} {i * 31} {i * 17} {i * 13}{tail}" for i in range(count)]


ASKED = {"labelled": 100, "validation": 30, "test": 50}

CASES = [
    Case(3, "asked-sizes-though-copies", load(copies(200, 3), **ASKED), gives(lambda r: sizes(r)[0::2] == (100, 30) and sizes(r)[3] == 50)),
    Case(3, "too-many-asked-for-train", load(table(100), labelled=90, test=20, validation=10), refused("labelled=90", "70")),
    Case(3, "too-many-asked-for-test", load(table(60), test=100), refused("test=100", "60")),
    Case(3, "too-many-asked-for-validation", load(table(60), validation=100), refused("validation=100")),
    Case(3, "too-many-asked-for-transfer", load(table(60), transfer=100), refused("transfer=100")),
    Case(3, "too-many-asked-of-copies", load(copies(50, 4), labelled=100), refused("labelled=100", "duplicates")),
    Case(3, "copies-are-counted", load(copies(60, 3)), gives(lambda r: r.report.duplicates == 120 and r.report.rows_read == 180)),
    Case(3, "copies-to-the-letter", load(copies(60, 2, "")), gives(lambda r: sum(sizes(r)) == 60)),
    Case(3, "all-the-same-text", load("text,label\n" + "same words here,a\nsame words here,b\n" * 40), refused("nothing can be learnt|two classes|labelled")),
    Case(3, "opposed-in-one-word", load(opposed()), gives(lambda r: sum(sizes(r)) == 60 and r.report.conflicting == 60)),
    Case(3, "opposed-is-said", load(opposed()), gives(lambda r: "another label" in str(r.report))),
    Case(3, "opposed-stay-in-one-part", load(opposed()), gives(lambda r: not {t.rsplit(" ", 1)[0] for t in r["train"]["text"]} & {t.rsplit(" ", 1)[0] for t in r["test"]["text"]})),
    Case(3, "no-text-in-two-parts", load(copies(80, 2)), gives(lambda r: not shared_words(r))),
    Case(3, "case-alone-differs", load("text,label\n" + "".join(f"{text(i)},{'ab'[i % 2]}\n{text(i).upper()},{'ab'[i % 2]}\n" for i in range(40))), gives(lambda r: sum(sizes(r)) == 40)),
    Case(3, "only-few-rows", load(table(6)), gives(lambda r: "chance" in str(r.report) and sizes(r) == (2, 0, 2, 2))),
    Case(3, "two-rows", load("text,label\na b,x\nc d,y\n"), refused("labelled|rows|learnt")),
    Case(3, "empty-texts-are-counted", load(table(40) + ",a\n  ,b\n...,a\n"), gives(lambda r: r.report.dropped["empty"] == 3 and "3 empty" in str(r.report))),
    Case(3, "nearly-all-empty", load("text,label\n" + ".,a\n!,b\n" * 40 + table(4)[11:]), refused("labelled|learnt|rows")),
    Case(3, "all-empty-after-cleaning", load("text,label\n" + "<br>,a\n...,b\n" * 30), refused("none of its 60 texts")),
    Case(3, "a-class-of-one", load(table(80) + f"{text(999)},rare\n"), gives(lambda r: any("'rare'" in w for w in r.report.warnings))),
    Case(3, "test-has-one-class", load(table(80, split=["test" if i % 8 == 0 else "train" for i in range(80)])), gives(lambda r: any("0 in test" in w for w in r.report.warnings))),
    Case(3, "train-has-one-class", load(table(80, split=["test" if i % 2 == 0 else "train" for i in range(80)])), refused("two classes|nothing can be learnt")),
    Case(3, "labels-hidden-are-said", load(table(120), labelled=20), gives(lambda r: f"hidden in transfer: {r.report.hidden_labels}" in str(r.report) and r.report.hidden_labels > 50)),
    Case(3, "all-labels-by-default", load(table(120)), gives(lambda r: r.report.hidden_labels == 0)),
    Case(3, "seed-draws-train-alone", twice(labelled=30), gives([True, True, False])),
    Case(3, "seed-without-drawing", twice(), gives([True, True, True])),
    Case(3, "part-of-no-kind", load(parts("train", "tset")), refused("line 3", "'tset'")),
    Case(3, "part-a-number", load(parts(0, 1)), refused("line 2", "'0'")),
    Case(3, "part-a-fold", load(parts("fold1", "fold2")), refused("line 2", "fold1")),
    Case(3, "parts-in-capitals", load(parts("TRAIN", "Train ", "train", "Test")), gives(lambda r: len(r["test"]) == 10)),
    Case(3, "part-dev", load(parts("train", "train", "dev", "test")), gives(lambda r: len(r["validation"]) == 10)),
    Case(3, "part-test-is-copied-from-train", load("text,label,split\n" + "".join(f"{text(i)},{'ab'[i % 2]},{s}\n" for s in ("train", "test") for i in range(40))), refused("train|nothing can be learnt")),
    Case(3, "part-of-transfer-only", load(parts("transfer")), refused("two classes|labelled|learnt")),
    Case(3, "part-of-test-only", load(parts("test")), refused("train|learnt|labelled")),
    Case(3, "part-split-is-a-list", load('{"text":"a","label":1,"split":["train"]}\n{"text":"b","label":2}\n', "o.jsonl"), refused("line 1", "split")),
    Case(3, "part-column-unknown", load(parts("train", "test"), split_column="fold"), refused("fold")),
    Case(3, "part-column-left-alone", load(parts("x", "y"), split_column=None), gives(lambda r: len(r["train"]) == 28)),
    Case(3, "columns-named-alike", load(table(20), label_column="text"), refused("text_column", "label_column")),
    Case(3, "labelled-a-fraction", load(table(20), labelled=0.5), refused("labelled", "whole", "0.5")),
    Case(3, "labelled-zero", load(table(20), labelled=0), refused("labelled", "2", "0")),
    Case(3, "labelled-minus", load(table(20), labelled=-5), refused("labelled", "-5")),
    Case(3, "labelled-true", load(table(20), labelled=True), refused("labelled", "bool")),
    Case(3, "labelled-a-word", load(table(20), labelled="all"), refused("labelled", "'all'")),
    Case(3, "seed-minus", load(table(20), seed=-1), refused("seed", "-1")),
    Case(3, "seed-a-word", load(table(20), seed="0"), refused("seed", "'0'")),
    Case(3, "seed-huge", load(table(60), seed=2**70), gives(lambda r: len(r["train"]) > 0)),
    Case(3, "blocks-zero", load(table(20), validation_blocks=0), refused("validation_blocks", "0")),
    Case(3, "blocks-larger-than-the-file", load(table(60), validation_blocks=10_000), gives(lambda r: len(r["validation"]) >= 2)),
    Case(3, "several-labels-without-any", load(table(60), several_labels="|"), gives(lambda r: r.problem_type == "multi_label_classification")),
    Case(3, "several-labels-a-letter", load(table(60), several_labels="a"), refused("several_labels", "'a'")),
    Case(3, "several-labels-empty", load(table(60), several_labels=""), refused("several_labels")),
    Case(3, "several-labels-noticed", load("text,label\n" + "".join(f"{text(i)},{('x', 'y', 'x|y')[i % 3]}\n" for i in range(60))), refused("line 4", "x\\|y", "several_labels")),
    Case(3, "several-labels-twice-in-a-cell", load("text,label\n" + "".join(f"{text(i)},{('x', 'y', 'x|x')[i % 3]}\n" for i in range(60)), several_labels="|"), gives(lambda r: r.label_names == ["x", "y"] and max(max(y) for y in r["train"]["label"]) == 1.0)),
    Case(3, "columns-for-the-sample", lambda p: load_sample(label_column="stars"), refused("sample", "columns of its own")),
    Case(3, "more-than-the-sample-has", lambda p: load_sample(labelled=100_000), refused("labelled=100000|labelled=100,000")),
    # ------------------------------------------------------------------- kind 4
    Case(4, "a-footer-under-4000-texts", groups(lambda: unlike(4000, FOOTER)), gives(4000), seconds=20),
    Case(4, "a-head-over-4000-texts", groups(lambda: [FOOTER + t for t in unlike(4000)]), gives(4000), seconds=20),
    Case(4, "footer-and-head", groups(lambda: [FOOTER + t for t in unlike(3000, FOOTER)]), gives(3000), seconds=20),
    Case(4, "two-footers", groups(lambda: [t + FOOTER * (1 + i % 2) for i, t in enumerate(unlike(3000))]), gives(3000), seconds=20),
    Case(4, "one-text-of-a-million-letters", groups(lambda: ["word " * 200_000, "a b", "c d"]), gives(3), seconds=20),
    Case(4, "one-word-of-a-million-letters", groups(lambda: ["x" * 1_000_000, "a b"]), gives(2), seconds=20),
    Case(4, "many-empty-texts", groups(lambda: [""] * 5000 + unlike(100)), gives(lambda n: n >= 101), seconds=20),
    Case(4, "the-same-text-20000-times", groups(lambda: ["the same text for all of them here"] * 20_000), gives(1), seconds=20),
    Case(4, "one-and-the-same-with-a-number", groups(lambda: [f"your order {i} was shipped today, thank you" for i in range(3000)]), gives(lambda n: n >= 1), seconds=20),
    Case(4, "chinese-footer", groups(lambda: [f"{chr(0x4E00 + i)}{chr(0x5E00 + i)}{chr(0x6E00 + i)}{i}" + "本邮件及其附件含有保密信息仅限于发送给上面地址中列出的个人" for i in range(2000)]), gives(2000), seconds=20),
    Case(4, "texts-of-two-words", groups(lambda: [f"{a} {b}" for a in range(50) for b in range(50)]), gives(lambda n: n > 2000), seconds=20),
    Case(4, "marks-on-one-letter", groups(lambda: ["a" + "\u0301" * 100_000, "b c"]), gives(2), seconds=20),
    Case(4, "no-texts", groups(lambda: []), gives(0)),
    Case(4, "one-text", groups(lambda: ["a"]), gives(1)),
    Case(4, "texts-are-one-text", groups(lambda: "one text"), refused("texts", "list")),
    Case(4, "texts-with-a-none", groups(lambda: ["a", None]), refused("texts", "row 1")),
    Case(4, "threshold-above-one", lambda p: thresholds(1.5), refused("threshold", "1.5")),
    Case(4, "threshold-nan", lambda p: thresholds(float("nan")), refused("threshold", "nan")),
    Case(4, "clean-a-million-brackets", lambda p: clean("<" * 300_000), gives(lambda t: len(t) == 300_000), seconds=10),
    Case(4, "clean-many-open-tags", lambda p: clean("<a href='" * 30_000), gives(lambda t: len(t) > 0), seconds=10),
    Case(4, "clean-many-attributes", lambda p: clean("<a " + "x=y " * 60_000), gives(lambda t: len(t) > 0), seconds=10),
    Case(4, "clean-many-ampersands", lambda p: clean("&" * 300_000), gives(lambda t: len(t) == 300_000), seconds=10),
    Case(4, "clean-many-entities", lambda p: clean("&amp;" * 100_000), gives("&" * 100_000), seconds=10),
    Case(4, "clean-many-joiners", lambda p: clean("\u200d" * 300_000), gives(""), seconds=10),
    Case(4, "clean-many-marks", lambda p: clean("e" + "\u0301\u0323" * 150_000), gives(lambda t: len(t) < 300), seconds=10),
    Case(4, "clean-many-spaces", lambda p: clean(" \n\t" * 200_000 + "x"), gives("x"), seconds=10),
    Case(4, "clean-breaks-that-never-close", lambda p: clean("<br " * 80_000), gives(lambda t: len(t) > 0), seconds=10),
]  # fmt: skip


def clean(value):
    from distill_helpers.data.cleaning import clean_text

    return clean_text(value)


def thresholds(value):
    from distill_helpers.data.duplicates import duplicate_groups

    return duplicate_groups(["a b", "c d"], threshold=value)


def load_sample(**options):
    from distill_helpers.data.reviews import load_reviews

    return load_reviews("sample", **options)
