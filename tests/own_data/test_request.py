"""Every wrong option is named before any work begins."""

import sys

import pytest

from distill_helpers.own_data import Request, look, open_guide, request
from distill_helpers.own_data.command import main
from distill_helpers.teachers import making


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"student": "forest"}, "student must be one of"),
        (
            {"students": "text-cn"},
            "students must be 'all' or some of ['bigram', 'text-cnn', 'tiny-transformer"
            "'], got 'text-cn'; did you mean 'text-cnn'?",
        ),
        ({"students": ["all", "bigram"]}, "'all' and ['bigram']: 'all' stands alone"),
        ({"students": "bigram,bigram"}, "none twice"),
        ({"students": []}, "students must hold at least one"),
        ({"students": 3}, "students must be names, in a list"),
        ({"students": "all", "student": "bigram"}, "leave student='bigram' out"),
        ({"forms": "int9"}, "did you mean 'int8'?"),
        ({"budget_mb": 0}, "budget_mb must be a finite number above 0, got 0"),
        ({"budget_mb": -1.0}, "budget_mb must be a finite number above 0"),
        ({"budget_ms": float("nan")}, "budget_ms must be a finite number above 0"),
        ({"budget_ms": float("inf")}, "budget_ms must be a finite number above 0"),
        ({"budget_ms": "fast"}, "budget_ms must be a number, got str: 'fast'"),
        ({"labelled": 1}, "labelled must be at least 2"),
        ({"labelled": True}, "labelled must be a whole number"),
        ({"temperature": 0}, "temperature must be a finite number above 0"),
        ({"ask": 0}, "ask must be at least 1"),
        ({"ask": 9, "choose": "doubt"}, "choose must be one of"),
        ({"choose": "diverse"}, "it needs ask: about how many"),
        (
            {"ask": 9, "choose": "teacher-doubt", "teacher": "api:some"},
            "needs the teacher's answer to every text",
        ),
        ({"alpha": 0}, "alpha must be a finite number above 0"),
        ({"alpha": 1.5}, "alpha must be at most 1"),
        ({"epochs": float("nan")}, "epochs must be a finite number"),
        ({"class_weights": "yes"}, "class_weights must be one of"),
        ({"soft_loss": "mse"}, "soft_loss must be one of ['kl', 'reverse_kl'"),
        ({"example_weights": "loss"}, "example_weights must be one of"),
        ({"seeds": []}, "seeds must hold at least one"),
        ({"seeds": [1, 1]}, "none twice"),
        ({"seeds": "012"}, "seeds must be a list"),
        ({"seeds": [-1]}, "seeds must be at least 0"),
        ({"text_column": ""}, "text_column must be the name"),
        ({"label_column": "text"}, "text_column and label_column must differ"),
        ({"several_labels": ""}, "several_labels must be"),
        ({"teacher": ""}, "teacher must be"),
        ({"teacher": "LLM"}, "names no model: say 'api:'"),
        ({"teacher": "no/such.csv"}, "teacher: there is no file"),
        ({"how": "magic"}, "how must be one of"),
        ({"how": "frozen"}, "needs encoder"),
        ({"how": "linear", "encoder": "some"}, "uses no encoder"),
        ({"teacher": "some/folder", "encoder": "x"}, "needs teacher='make'"),
        ({"teacher": "some/folder", "how": "linear"}, "how says how a teacher is made"),
        ({"values": "logits"}, "is no file"),
        ({"values": "odds"}, "values must be one of"),
        ({"class_names": {}}, "class_names must name"),
        ({"class_names": {"a": "x", "b": "x"}}, "class_names must name"),
    ],
)
def test_a_wrong_option_is_named(file, tmp_path, given, says):
    with pytest.raises((ValueError, TypeError, OSError)) as refused:
        Request(file, output=tmp_path / "new", **given)
    assert says in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_missing_is_named_with_its_neighbour(file):
    with pytest.raises(FileNotFoundError, match="did you mean .*tickets.csv"):
        Request(file.with_name("tikets.csv"))
    with pytest.raises(ValueError, match="source must be a file, got the folder"):
        Request(file.parent)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "tickets.xlsx").write_bytes(b"PK")
    with pytest.raises(ValueError, match="source must be a .csv, .*spreadsheet as CSV"):
        Request(tmp_path / "tickets.xlsx")


def test_the_output_is_looked_at_first(file, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError, match="output .*full.* holds something"):
        Request(file, output=full)
    with pytest.raises(NotADirectoryError, match="is a file"):
        Request(file, output=full / "mine.txt" / "below")
    assert (full / "mine.txt").read_text() == "kept"
    assert Request(file, output=tmp_path / "a" / "b").folder == tmp_path / "a" / "b"
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_an_output_that_cannot_be_written_is_found_first(file, tmp_path, monkeypatch):
    def refused(**_):
        raise PermissionError(13, "Permission denied")  # root may write everywhere

    monkeypatch.setattr("tempfile.TemporaryDirectory", refused)
    with pytest.raises(PermissionError, match="cannot be written: Permission denied"):
        Request(file, output=tmp_path / "new")


def test_the_output_is_called_like_the_file(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(Request(file).folder) == "tickets_student"
    assert str(Request(file).working) == "tickets_student.unfinished"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--alpha", "2"], "--alpha must be at most 1"),
        (["--class-weights", "odd"], "--class-weights must be one of"),
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--students", "forest"], "--students must be 'all' or some of"),
        (["--budget-mb", "-2"], "--budget-mb must be a finite number above 0"),
        (["--budget-ms", "fast"], "invalid float value: 'fast'"),
        (["--class-names", "a"], "must be TEACHERS=FILES"),
        (["--class-names", "a=b", "--class-names", "a=c"], "names 'a' twice"),
        (["--teacher", "llm"], "names no model"),
        (["--text-column", "Tetx"], "perhaps you mean --text-column 'text'"),
        (
            ["--alhpa", "1"],
            "unrecognized arguments: --alhpa 1; did you mean '--alpha'?",
        ),
    ],
)
def test_the_command_names_options_as_they_are_typed(file, capsys, words, says):
    with pytest.raises(SystemExit) as ended:
        main([str(file), *words])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_class_names_reach_the_request(file, tmp_path, monkeypatch):
    from distill_helpers.own_data import whole

    seen = []
    monkeypatch.setattr(whole, "distil", lambda request, **_: seen.append(request))
    words = ["--output", str(tmp_path / "o"), "--seeds", "2", "--teacher", "a/b"]
    words += ["--class-names", "0=login", "--class-names", "Bill=billing"]
    assert main([str(file), *words]) == 0
    assert seen[0].class_names == {0: "login", "Bill": "billing"}
    assert seen[0].seeds == (0, 1)


def test_help_loads_nothing_heavy():
    import subprocess

    code = "import sys; from distill_helpers.own_data.command import parser; parser()"
    code += "; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_ways_to_make_a_teacher_are_those_that_there_are():
    assert set(request.WAYS) == set(making.HOW)


def test_a_file_that_is_no_table_is_refused_as_one(file, tmp_path):
    path = tmp_path / "answers.xlsx"
    path.write_bytes(b"PK")
    asked = Request(file, teacher=str(path), output=tmp_path / "new")
    with pytest.raises(ValueError, match="answers.xlsx.*save a spreadsheet as CSV"):
        open_guide(asked, look(asked), progress=False)
