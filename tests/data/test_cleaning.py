import pytest

from distill_helpers.data.cleaning import clean_text, signature, text_hash


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
