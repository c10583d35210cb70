import pytest

from distill_helpers.data.cleaning import (
    clean_text,
    has_content,
    signature,
    text_hash,
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Fine.<br /><br />Really.", "Fine. Really."),
        ("Fine.<BR>Really.", "Fine. Really."),
        ("<p class='x'>Fine</p><i>very</i>", "Fine very"),
        ("Good\uff01Bad\uff1f\uff08so so\uff09", "Good!Bad?(so so)"),
        ("\u597d\u3002\u574f\u3001", "\u597d.\u574f,"),
        ("\u201cquoted\u201d and \u2018so\u2019", "\"quoted\" and 'so'"),
        ("a \t\n  b\u00a0c\u3000d", "a b c d"),
        ("&quot;Tom &amp; Jerry&quot;", '"Tom & Jerry"'),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("caf\u00e9 na\u00efve", "caf\u00e9 na\u00efve"),
        ("zero\u200bwidth\x00", "zerowidth"),
        ("   ", ""),
        ("", ""),
        # Angle brackets that are text, beside those that are not.
        ("x < y", "x < y"),
        ("if x <y and y> z", "if x <y and y> z"),
        ("a <b and c> d", "a <b and c> d"),
        ("price<limit and stock>0", "price<limit and stock>0"),
        ("a List<String> fails", "a List<String> fails"),
        ("from Ann <ann@example.org>", "from Ann <ann@example.org>"),
        ("see <https://example.org/a?b=c>", "see <https://example.org/a?b=c>"),
        ('<a href="mailto:ann@example.org">Ann</a>', "Ann"),
        ("so<i>very</i>good", "soverygood"),
        ('<input type="text" disabled/>Fine', "Fine"),
        ("well <sighs> fine", "well fine"),
        # References that end as they should, and others.
        ("2 &lt; 3 &#x1F600;", "2 < 3 \U0001f600"),
        ("/find?a=1&copy=2 R&D", "/find?a=1&copy=2 R&D"),
        (f"&#{'9' * 5000};", f"&#{'9' * 5000};"),
        # Joiners that do something, and others.
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("\U0001f468\u200d\U0001f680", "\U0001f468\u200d\U0001f680"),
        ("f\u200cree \u200d\u0645\u200c end", "free \u0645 end"),
        ("\u200c\u200d\u200c", ""),
        ("\x00\x01\u200b\ufeff", ""),
        ("page\x0cbreak", "page break"),
        ("\U0001f600" * 40, "\U0001f600" * 40),
        ("o" + "\u0323\u0301" * 16, "\u1ecd" + "\u0323" * 14 + "\u0301" * 15),
        # Half a pair, and a pair that was written in halves.
        ("cut \ud83d", "cut \ufffd"),
        ("whole \ud83d\ude00", "whole \U0001f600"),
    ],
)
def test_clean_text(raw, clean):
    assert clean_text(raw) == clean
    assert clean_text(clean) == clean


def test_full_width_marks_survive_where_the_popular_code_deletes_them():
    import re

    raw = "\u5f88\u597d\uff0c\u771f\u7684\uff01"
    popular = re.sub(r"[^\w\s,.!?]", "", raw).replace("\uff0c", ",")
    assert "," not in popular and "!" not in popular
    assert clean_text(raw).count(",") == 1 and clean_text(raw).count("!") == 1


def test_a_text_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="text must be a str, got int: 3"):
        clean_text(3)


def test_text_hash_is_fixed_for_ever():
    # The soft targets that we ship are looked up by these.
    assert text_hash("") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert text_hash("a fine film") != text_hash("A fine film")


def test_signature_forgets_case_and_punctuation():
    assert signature("A fine -- FILM!") == signature("a fine film")


def test_what_shapes_a_letter_is_part_of_the_signature():
    ki, long_ki = "\u0915\u093f", "\u0915\u0940"
    assert signature(ki) != signature(long_ki)
    assert signature("\u0e40\u0e17\u0e48") == "\u0e40\u0e17\u0e48"
    assert signature("I don \u0301t") == "i don t"


def test_texts_of_emoji_alone_are_told_apart():
    happy, angry = "\U0001f600\ufe0f!", "\U0001f621\ufe0f!"
    assert signature(happy) != signature(angry) != ""
    assert signature(happy + " ") == signature(happy)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("\u597d", True),
        ("7", True),
        ("\U0001f621\ufe0f", True),
        ("\u2764", True),
        ("$", True),
        ("", False),
        ("...", False),
        ("?!", False),
        ("\u2060\u00ad\u202e", False),
        ("\ufe0f", False),
        ("\ufffd", False),
    ],
)
def test_only_what_says_something_counts_as_a_text(text, holds):
    assert has_content(text) is holds


@pytest.mark.parametrize(
    "text",
    [part * 300_000 for part in ("<", "< ", "<b ", "&#", "\u200c", "\ud83d", "a")]
    + ["<a" + " x=" * 60 + "!> ", "<a" + " hidden" * 25 + " !> "]
    + ["a" + "\u0301" * 200_000 + "\u0323" * 200_000],
    ids=range(10),
)
def test_cleaning_takes_time_in_proportion_to_the_text(text):
    # A square, or worse, would be minutes: beyond the suite's limit.
    assert len(signature(clean_text(text))) <= len(text)
