"""A setting is what its writer meant: one spelling, one type, one folder."""

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest

from distill_helpers.classroom import settings as settings_module
from distill_helpers.classroom.settings import (
    PLAN,
    Setting,
    grid,
    parse_axis,
    parse_fixed,
    read_plan,
    read_settings,
)
from distill_helpers.lessons.parameters import ParameterError

NUMBERS = ["0", "-7", "2.5", "1e-3", "1E5", "2e+2", "-0.0", "1e0"]
WORDS = ["true", "false", "null"]
TEXTS = """0123 -01 1:30 12:30:45 2024-01-01 2024-01-01T10:00:00Z yes no on off Yes ON
y n True False None NULL ~ 1_000 0x10 0o17 0b1 .5 5. +3 -.5 inf -inf nan NaN Infinity
-Infinity .inf .nan 1e 1e- e5 1.2.3 1,5e three - -- = a=b !!int & * % @ | > # ? ` \\
it's 1a ١٢ ½ ² word sample org/model C:\\data\\x.csv ü 你好""".replace(
    "1,5e", ""
).split()


@pytest.mark.parametrize("text", NUMBERS + WORDS)
def test_what_is_json_is_json(text):
    (value,) = parse_axis(f"a={text}")[1]
    assert value == json.loads(text)
    assert type(value) is type(json.loads(text))
    assert parse_fixed(f"a={text}") == ("a", value)


@pytest.mark.parametrize("text", TEXTS)
def test_all_else_is_text_as_it_stands(text):
    assert parse_axis(f"a={text}") == ("a", [text])
    assert parse_fixed(f" a = {text} ") == ("a", text)
    assert parse_axis(f"a=1,{text},[0]") == ("a", [1, text, [0]])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[0,1],[2,3]", [[0, 1], [2, 3]]),
        ('{"bad": "negative"},null', [{"bad": "negative"}, None]),
        ('"a,b" , c', ["a,b", "c"]),
        ('"say \\"no\\", then","\\\\"', ['say "no", then', "\\"]),
        ('"0123","1e-3","true",""', ["0123", "1e-3", "true", ""]),
        ('5",x]y', ['5"', "x]y"]),
        ('[["a]", "b,"], []]', [[["a]", "b,"], []]]),
        (" 1 ,\t2 ", [1, 2]),
    ],
)
def test_values_are_cut_at_the_commas_between_them(text, values):
    assert parse_axis(f"a={text}") == ("a", values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "write name=value"),
        ("=1", "write name=value"),
        ("a=", "write name=value"),
        ("a= ", "write name=value"),
        ("a=1,", "one value is empty"),
        ("a=,1", "one value is empty"),
        ("a=1,,2", "one value is empty"),
        ("a=[1", "begins like JSON and is none"),
        ("a=[x,y]", "begins like JSON and is none"),
        ("a=[1,]", "begins like JSON and is none"),
        ("a=[01]", "begins like JSON and is none"),
        ("a={b: 1}", "begins like JSON and is none"),
        ('a="open', "begins like JSON and is none"),
        ("a=" + "[" * 100_000, "begins like JSON and is none"),
        ('a="x"y', "stands behind JSON"),
        ("a=[1][2]", "stands behind JSON"),
        ("a='x'", "single quotes"),
        ("a='[0, 1]'", "single quotes"),
        ("a=1e999", "beyond all bounds"),
        ("a=-1e999", "beyond all bounds"),
        ("a=[NaN]", "NaN, which is no number"),
        ("a=[-Infinity]", "no number"),
        ("a=" + "7" * 5_000, "5,000 digits"),
        ("a=[" + "7" * 50 + "]", "50 digits"),
        ('a="\\ud800"', "half of a character"),
        ('a={"b":1,"b":2}', "twice in one object"),
        ("a=" + "[" * 40 + "]" * 40, "deep"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_axis(text)


@pytest.mark.parametrize("text", ["a=1,2", "a=x,y", "a=[0],[1]"])
def test_a_fixed_value_is_one(text):
    with pytest.raises(ParameterError, match="--fixed takes one value.*double quotes"):
        parse_fixed(text)


# ----------------------------------------------------------- what is one setting
@pytest.mark.parametrize(
    "same",
    [
        [1, 1.0, np.int64(1), np.float32(1), np.float64(1)],
        [0, 0.0, -0.0],
        [1e16, 10**16],
        [[1, 2.0], [1.0, 2], (1, 2)],
        [{"a": 1, "b": [0]}, {"b": [-0.0], "a": 1.0}],
    ],
    ids=str,
)
def test_what_is_equal_is_one_setting(same):
    assert len({Setting({"a": value}).key for value in same}) == 1
    for value, other in itertools.pairwise(same):
        with pytest.raises(ParameterError, match="none twice"):
            grid({"a": [value, other]})


@pytest.mark.parametrize(
    "values",
    [
        [1, True, "1", "1.0", [1], None],
        [0, False, "", [], {}, "0"],
        [0.1, 0.1 + 2**-56, "0.1"],
        [2**53, 2**53 + 1],
        ["a", "A", "a ", "ä", "a\u0308"],
        [[1, 2], [2, 1], [1, 2, 2]],
        ["con", "aux.", "nul.txt", ".."],
    ],
    ids=str,
)
def test_what_differs_is_not(values):
    keys = [Setting({"a": value}).key for value in values]
    assert len({key.lower() for key in keys}) == len(values)


def test_the_order_of_names_does_not_count():
    assert Setting({"a": 1, "b": 2}).key == Setting({"b": 2.0, "a": 1}).key
    assert Setting({"a": 1, "b": 2}).key != Setting({"a": 2, "b": 1}).key


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        [1, math.nan],
        {"a": math.inf},
        np.float32("nan"),
        {1, 2},
        b"bytes",
        {1: 2},
        1j,
        pytest.param(object(), id="an object"),  # its repr is another each time
        np.zeros(2),
        range(3),
    ],
    ids=repr,
)
def test_what_no_notebook_can_be_given_is_refused(value):
    with pytest.raises(ParameterError, match="'a' must be a finite number, a text"):
        Setting({"a": value})


def test_a_setting_hands_out_plain_python():
    given = {"a": np.int64(3), "b": np.float32(0.5), "c": (1, 2), "d": Fraction(1, 2)}
    handed = Setting(given).parameters
    assert handed == {"a": 3, "b": 0.5, "c": [1, 2], "d": 0.5}
    assert [type(value) for value in handed.values()] == [int, float, list, float]


@pytest.mark.parametrize(
    "value",
    [
        "x/../y",
        "..\\..\\y",
        "C:\\x",
        'a<b>c:d"e|f?g*h',
        "tail. ",
        "\n\t\0",
        "x" * 500,
        "你" * 100,
        "𝔘" * 100,
        "ü ß",
        1e300,
        "",
    ],
    ids=ascii,
)
def test_a_key_is_a_folders_name_on_every_system(value, tmp_path):
    key = Setting({"con": value, "nul": value}).key
    assert key.isascii()
    assert not set(key) & set('<>:"/\\|?* \n\t\0')
    assert key[-1] not in ". "
    assert key.split(".")[0].upper() not in ("CON", "NUL", "AUX", "PRN")
    assert len(key) < 100
    (tmp_path / key).mkdir()


# ------------------------------------------------------------------ grids, lists
@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "at least one axis"),
        ({"T": []}, "'T' needs at least one value"),
        ({"a": [1], "T": []}, "'T' needs at least one value"),
        ({"T": [1, 1]}, "none twice"),
        ({"T": [0, False, -0.0]}, "none twice"),
        ({"T": ["a", "a"]}, "none twice"),
        ({"T": [math.nan]}, "finite number"),
        ({name: list(range(101)) for name in "ab"}, "at most 10,000.*got 10,201"),
        ({name: [0, 1, 2, 3] for name in "abcdefghijklmnopqrst"}, "at most 10,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_grid_that_makes_no_sense_is_refused(axes, message):
    with pytest.raises(ParameterError, match=message):
        grid(axes)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "{}",
        "7",
        "[1]",
        "[[1]]",
        '[{"a": NaN}]',
        '[{"a": 1e999}]',
        '[{"a": 1, "a": 2}]',
        "[" * 100_000,
        '[{"a": "\\ud800"}]',
        '{"settings": []}',
        "temperature,alpha\n1,2\n",
        "- a: 1\n",
    ],
    ids=lambda text: text[:20],
)
def test_a_list_that_is_none_is_named(tmp_path, content):
    path = tmp_path / "list.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ParameterError, match="list.json' must hold a list of objects"):
        read_settings(path)


def test_a_list_is_read_as_json_with_a_mark_or_without(tmp_path):
    path = tmp_path / "list.json"
    path.write_text('[{"a": 1e-3}, {"b": "0123"}]', "utf-8-sig")
    assert [s.parameters for s in read_settings(path)] == [{"a": 1e-3}, {"b": "0123"}]
    with pytest.raises(ParameterError, match="list of objects"):
        read_settings(tmp_path)
    with pytest.raises(ParameterError, match=r"\[Errno 2\]"):
        read_settings(tmp_path / "none.json")


PLANNED = {"format": 1, "notebook": "n", "code": "c", "fixed": {}, "settings": []}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        json.dumps(PLANNED).encode()[:-5],
        b"\0" * 100,
        b"\xff\xfe",
        b"[]",
        b"null",
        json.dumps(PLANNED | {"settings": [1]}).encode(),
        json.dumps(PLANNED | {"settings": {}}).encode(),
        *(
            json.dumps({k: v for k, v in PLANNED.items() if k != name}).encode()
            for name in PLANNED
        ),
    ],
    ids=lambda content: ascii(content[:25]),
)
def test_a_damaged_plan_is_named_with_the_way_out(tmp_path, content):
    (tmp_path / PLAN).write_bytes(content)
    with pytest.raises(ParameterError, match="is no plan of a sweep.*take it away"):
        read_plan(tmp_path)


def test_the_rule_of_values_is_told():
    """Whoever asks what a value is finds it where the command is explained."""
    for example in ("0123", "1:30", "yes", ".5", "1_000"):
        assert f"``{example}``" in settings_module.__doc__
