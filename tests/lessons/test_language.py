"""Exercises answer in the reader's language; an examiner writes English alone."""

import ast
import io
import re
from pathlib import Path
from string import Formatter

import pytest

from distill_helpers.lessons import exercises, language, parts
from distill_helpers.lessons.exercises import (
    check,
    hint,
    notebook_api,
    predict,
    progress,
    reveal,
    solution,
)
from distill_helpers.lessons.exercises.outcomes import CORRECT, INCORRECT, UNTOUCHED
from distill_helpers.lessons.language import Message

LANGUAGES = sorted(path.name for path in language.LOCALE.iterdir() if path.is_dir())
DONE = ("00", "01", "02", "03", "09", "10")  # lessons whose exercises answer in Chinese
LESSON_00 = [e for e in notebook_api.all_entries() if e.key.startswith("00")]
CHINESE = re.compile("[\u4e00-\u9fff]")
QUOTED = re.compile("你的结果|这一行|曾见于")  # what is quoted, not said
ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", re.I)


@pytest.fixture(autouse=True)
def own_record(tmp_path, monkeypatch):
    """Each test has a progress file, a session and a first line of its own."""
    monkeypatch.setenv("DISTILL_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv(language.VARIABLE, raising=False)
    monkeypatch.setattr(notebook_api, "_session", {})
    notebook_api._hints_given.clear()
    language.translations.cache_clear()


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "zh")


def answered(key, answer):
    """Return the lines of an answer, after its head."""
    return check(key, answer).text.split("\n")


# ------------------------------------------------------------ what is shown
def test_a_right_answer_is_praised_in_chinese(chinese):
    (exercise, question) = LESSON_00
    shown = check(exercise.key, exercise.best)
    assert shown.status == CORRECT
    assert shown.text == (
        "✓ 正确（00.soft_targets）\n教师模型传递的就是这些：经过软化的概率。"
    )
    assert "教师模型" in shown.markup
    assert check(question.key, question.best).text.startswith("✓ 正确（00.q_control）")


def test_a_wrong_answer_is_told_its_mistake_in_chinese(chinese):
    def without_temperature(logits, temperature):
        return LESSON_00[0].solution(logits, 1.0)

    shown = check("00.soft_targets", without_temperature)
    assert shown.status == INCORRECT
    assert shown.text.split("\n") == [
        "✗ 还不对（00.soft_targets）",
        "没有用到温度。",
        "你的结果：0.090, 0.665, 0.245",
        "期望结果：0.186, 0.506, 0.307",
        "请检查：先将每个逻辑值除以温度",
    ]
    assert answered("00.q_control", "z")[1:] == [
        "'z' 不在选项之中。",
        '期望结果："a"、"b" 或 "c"',
    ]


def test_an_untouched_answer_is_asked_for_in_chinese(chinese):
    shown = check("00.soft_targets", ...)
    assert shown.status == UNTOUCHED
    assert shown.text.startswith("… 尚未作答（00.soft_targets）\n")
    assert 'hint("00.soft_targets")' in shown.text


def test_hints_solution_and_progress_are_chinese(chinese):
    first, last = hint("00.soft_targets").text, hint("00.soft_targets").text
    assert first.startswith("提示 1/2（00.soft_targets）\n先将每个逻辑值")
    assert last.endswith("这是最后一条提示。")
    solved = solution("00.soft_targets").text
    assert solved.startswith("00.soft_targets 的参考答案\n")
    assert LESSON_00[0].code in solved and "软目标" in solved
    check("00.q_control", "b")
    check("00.soft_targets", lambda logits, temperature: logits)
    shown = progress("00")
    assert shown.text.startswith("已完成 1/2\n")
    assert "✗ 已尝试" in shown.text and "<th scope='col'>练习</th>" in shown.markup


@pytest.mark.parametrize("lesson", DONE)
def test_nothing_that_a_lesson_says_is_left_in_english(chinese, lesson):
    """Every answer that its entries name, and what any function may run into."""
    said = []
    for entry in [e for e in notebook_api.all_entries() if e.key[:2] == lesson]:
        answers = [..., entry.best, 3, *entry.right, *(w for w, _ in entry.wrong)]
        answers += getattr(entry, "options", ())
        if callable(entry.best):
            answers += [lambda *given: 1 / 0, lambda one: one, lambda *given: None]
        said += [check(entry.key, answer).text for answer in answers]
        said += [hint(entry.key).text for _ in entry.hints]
        said += [solution(entry.key).text.replace(entry.code, "")]
    said.append(progress(lesson).text)
    for text in said:
        lines = [line for line in text.split("\n") if not QUOTED.match(line)]
        assert CHINESE.search(lines[0]), text
        said_here = re.sub(r"\w+Error: .+|`[^`\n]+`", "", "\n".join(lines))
        assert not ENGLISH.search(said_here), text


def test_a_guess_is_set_beside_its_measurement_in_chinese(chinese):
    assert reveal("01.predict_threes", 85.9).text.startswith("测量值：85.9%。你还没有")
    assert "你的猜测 30% 已记下" in predict("01.predict_threes", 30).text
    shown = reveal("01.predict_threes", 85.9).text
    assert shown.startswith("你猜的是 30%。测量值：85.9%。相差 55.9 个百分点。\n")
    assert "最初的猜测 30%" in predict("01.predict_threes", 40).text
    assert "0 到 100 之间" in predict("01.predict_threes", "many").text


def test_a_lesson_without_translations_answers_in_english_between(chinese):
    entry = next(e for e in notebook_api.all_entries() if e.key == "11.q_leak")
    head, body = check(entry.key, entry.best).text.split("\n", 1)
    assert (head, body) == ("✓ 正确（11.q_leak）", entry.why)


def test_what_the_reader_printed_is_not_translated(chinese):
    def chatty(logits, temperature):
        print("Close.")
        return LESSON_00[0].solution(logits, temperature)

    shown = check("00.soft_targets", chatty)
    assert shown.text.endswith("\n你的代码输出了：\nClose.")


# ------------------------------------------------------ which language it is
@pytest.mark.parametrize("wanted", ["zh", "ZH", "zh_CN", "zh-Hans", "zh_CN.UTF-8"])
def test_a_variant_finds_its_language(monkeypatch, wanted):
    monkeypatch.setenv(language.VARIABLE, wanted)
    assert check("00.q_control", "b").text.startswith("✓ 正确")


@pytest.mark.parametrize("wanted", ["", " ", "en", "en_GB.UTF-8"])
def test_english_needs_no_catalogue_and_no_remark(monkeypatch, capsys, wanted):
    monkeypatch.setenv(language.VARIABLE, wanted)
    shown = check("00.q_control", "b")
    assert shown.text.startswith("✓ Correct (00.q_control)\nThat is the control.")
    assert capsys.readouterr().out == shown.text + "\n"


def test_an_unknown_language_gives_english_and_one_line(monkeypatch, capsys):
    monkeypatch.setenv(language.VARIABLE, "tlh")
    texts = [check("00.q_control", letter).text for letter in "ab"]
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == (
        "DISTILL_LANGUAGE: no language 'tlh', English is used; known: en, zh"
    )
    assert rest == "\n".join(texts).splitlines()
    assert texts[1].startswith("✓ Correct")


# ------------------------------------------------------------ the catalogues
def catalogue(name):
    return language.translations(name).entries


def constants(paths):
    """Return every text that stands in the code of some files."""
    return {
        node.value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def templates(paths):
    """Return the templates of the messages that some files make."""
    return {
        node.args[0].value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Message"
        and isinstance(node.args[0], ast.Constant)
    }


ENGINE = sorted(Path(exercises.__file__).parent.glob("*.py"))
BESIDE = [
    *language.LOCALE.parent.glob("zoo/*.py"),
    *language.LOCALE.parent.glob("plots/*.py"),
]


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_translation_holds_the_same_values(name):
    def values(text):
        return sorted((n, s, c) for _, n, s, c in Formatter().parse(text) if n)

    for msgid, msgstr in catalogue(name).items():
        if msgid:
            assert msgstr.strip(), msgid
            assert values(msgstr) == values(msgid), msgid


@pytest.mark.parametrize("name", LANGUAGES)
def test_whatever_every_lesson_may_say_is_translated(name):
    assert len(templates(ENGINE)) > 30
    assert templates(ENGINE) <= set(catalogue(name))


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_translation_has_lost_its_sentence(name):
    folders = [path for f in parts.lesson_folders() for path in f.glob("*.py")]
    joined = {"{part1} or {part2} or {part3}", "{part1} And: {part2}"}
    joined |= {"{part1} And: {part2} And: {part3}", ""}
    said = constants([*ENGINE, *BESIDE, *folders]) | joined
    assert set(catalogue(name)) <= said


def test_a_catalogue_is_read_as_gettext_writes_it():
    text = (
        '# translator\nmsgid ""\nmsgstr "Language: xx\\n"\n\n'
        '#: a.py:3\nmsgid "one \\"word\\""\nmsgstr ""\n"ein "\n"\\"Wort\\""\n\n\n'
        '#, fuzzy\nmsgid "two"\nmsgstr "zwo?"\n\n'
        'msgid "three"\nmsgstr ""\n\n#~ msgid "old"\n#~ msgstr "alt"\n'
    )
    found = language.Catalogue(io.StringIO(text))
    assert found.gettext('one "word"') == 'ein "Wort"'
    assert [found.gettext(word) for word in ("two", "three", "old")] == [
        "two",
        "three",
        "old",
    ]


@pytest.mark.parametrize(
    "text",
    [
        'msgid "a"',
        'msgid "a"\nmsgstr "b',
        'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"',
        "import os",
    ],
)
def test_what_is_no_entry_is_refused(text):
    with pytest.raises(ValueError, match="no msgid with one msgstr"):
        language.Catalogue(io.StringIO(text))


# ---------------------------------------------------------------- a message
def test_a_message_is_its_english_text_and_remembers_its_template():
    said = Message("{found} {a:.1f}", found=Message("Found {n}:", n=3), a=0.25)
    assert said == "Found 3: 0.2" and isinstance(said, str)
    german = {"Found {n}:": "Gefunden {n}:"}
    assert said.told(lambda text: german.get(text, text)) == "Gefunden 3: 0.2"
    assert Message("a {brace}").told(str.upper) == "A {BRACE}"
    assert Message("").told(lambda text: "the header") == ""
    assert Message.of(said) is said


@pytest.mark.parametrize("bad", ["{other}", "{", "{0}", "{n:zz}"])
def test_a_translation_that_cannot_be_filled_is_left_out(bad):
    assert Message("Found {n}", n=3).told(lambda text: bad) == "Found 3"


# ------------------------------------------------------------------ a choice
def test_a_lesson_chooses_its_language(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "en")
    assert language.chosen() == "en"
    language.choose("zh_CN")
    assert language.chosen() == "zh"
    assert check("00.q_control", "b").text.startswith("✓ 正确")


def test_a_language_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "en")
    wanted = "language must be one of 'en', 'zh', got 'tlh'"
    with pytest.raises(ValueError, match=wanted):
        language.choose("tlh")
    assert language.chosen() == "en"
