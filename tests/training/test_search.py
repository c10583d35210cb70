"""A search sees validation alone, resumes, and cuts what does badly."""

import multiprocessing
import os
import signal
import time

import optuna
import pytest
from filelock import FileLock

from distill_helpers import files
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.training import search
from distill_helpers.training.recipes import train_student
from distill_helpers.training.search import ReportToTrial, open_study, run_trials

APART = multiprocessing.get_context(
    "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
)


def objective(trial):
    x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", 0.1, 9, log=True)
    for look in range(3):
        trial.report(-abs(x) * (look + 1), look)
        if trial.should_prune():
            raise optuna.TrialPruned
    return -((x - 0.5) ** 2) - y


def searched(path, trials, score=objective, **options):
    study = open_study(path, "toy", **options)
    return run_trials(study, score, trials, progress=False)


def outcomes(study):
    """What was tried and what came of it, less the trials that were stopped."""
    stopped = {int(n.split()[1]) for n in study.user_attrs if n.startswith("stopped ")}
    return [
        (t.params, t.state, t.values, t.intermediate_values)
        for t in study.trials
        if t.number not in stopped
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return outcomes(searched(tmp_path_factory.mktemp("search") / "whole.jsonl", 9))


def test_one_seed_gives_one_search_and_another_another(tmp_path, undisturbed):
    assert len({str(params) for params, *_ in undisturbed}) == 9
    assert {state.name for _, state, *_ in undisturbed} == {"COMPLETE", "PRUNED"}
    assert outcomes(searched(tmp_path / "a.jsonl", 9)) == undisturbed
    other = outcomes(searched(tmp_path / "b.jsonl", 5, seed=3))
    assert not [one for one in other if one in undisturbed]


@pytest.mark.parametrize("sittings", [(1, 9), (3, 4, 9), (5, 9), tuple(range(1, 10))])
def test_in_whatever_sittings_it_is_the_same_search(tmp_path, undisturbed, sittings):
    path = tmp_path / "deep" / "ä study.jsonl"
    for trials in sittings:
        study = searched(path, trials)
        assert len(study.trials) == trials
    assert outcomes(study) == undisturbed
    assert len(searched(path, 5).trials) == 9


@pytest.mark.parametrize("stops", [{0}, {4}, {8}, {2, 3, 4}, {0, 5, 7, 8}])
def test_an_interrupted_trial_is_begun_again(tmp_path, undisturbed, stops):
    def interrupted(trial):
        value = objective(trial)
        if trial.number in stops:
            raise KeyboardInterrupt
        return value

    stopped = 0
    for _ in range(len(stops) + 1):
        try:
            study = searched(tmp_path / "s.jsonl", 9, interrupted)
        except KeyboardInterrupt:
            stopped += 1
    assert outcomes(study) == undisturbed
    assert len(study.trials) == 9 + stopped


def die():
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


def search_until(path, point, number):
    """Run in a process of its own; it dies in a trial, at a point."""

    def dying(trial):
        here = trial.number == number
        if here and point == "begun":
            die()
        try:
            if here and point == "half a line":
                with open(path, "ab") as journal:
                    journal.write(b'{"op_code":6,"worker_id":"')
                die()
            value = objective(trial)
        finally:
            if here and point == "scored":
                die()
        return value

    if point == "asked":
        ask = optuna.Study.ask

        def asked(study, *args, **kwargs):
            trial = ask(study, *args, **kwargs)
            return die() if trial.number == number else trial

        optuna.Study.ask = asked
    searched(path, 9, dying)


@pytest.mark.parametrize("number", [0, 3, 8])
@pytest.mark.parametrize("point", ["asked", "begun", "half a line", "scored"])
def test_killed_it_goes_on_to_the_same_result(tmp_path, undisturbed, point, number):
    process = APART.Process(
        target=search_until, args=(tmp_path / "s.jsonl", point, number)
    )
    process.start()
    process.join(60)
    assert process.exitcode not in (0, None)
    study = searched(tmp_path / "s.jsonl", 9)
    assert outcomes(study) == undisturbed
    states = [trial.state for trial in study.trials]
    assert optuna.trial.TrialState.RUNNING not in states


def slow(trial):
    time.sleep(0.03)
    return objective(trial)


def test_two_processes_share_one_search_and_repeat_nothing(tmp_path):
    path = tmp_path / "s.jsonl"
    both = [APART.Process(target=searched, args=(path, 12, slow)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    study = open_study(path, "toy")
    assert len(study.trials) in (12, 13)  # both may have begun the last one
    assert len({trial.params["x"] for trial in study.trials}) == len(study.trials)
    assert {trial.user_attrs["draw"] for trial in study.trials} == set(
        range(len(study.trials))
    )
    assert len({trial.user_attrs["sitting"] for trial in study.trials}) == 2


def test_a_running_trial_of_another_process_is_left_to_it(tmp_path):
    """It is taken over when its process is gone."""
    path, seen = tmp_path / "s.jsonl", []

    def nested(trial):
        if not seen:
            seen.append(trial.number)
            searched(path, 2, nested)  # another sitting, while this one lasts
        return trial.suggest_float("x", 0, 1)

    study = searched(path, 3, nested)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert len({trial.params["x"] for trial in study.trials}) == 3


@pytest.mark.parametrize("value", [float("nan"), None])
def test_a_score_that_is_none_fails_its_trial_alone(tmp_path, value):
    def half(trial):
        good = objective(trial)
        return value if trial.number == 1 else good

    with pytest.warns(UserWarning, match=str(value)):
        study = searched(tmp_path / "s.jsonl", 4, half)
    assert [t.state.name for t in study.trials].count("FAIL") == 1


def test_a_trial_that_raises_counts_and_the_search_goes_on_behind_it(tmp_path):
    def broken(trial):
        trial.suggest_float("x", 0, 1)
        raise ArithmeticError("diverged")

    with pytest.raises(ArithmeticError, match="diverged"):
        searched(tmp_path / "s.jsonl", 2, broken)
    study = searched(tmp_path / "s.jsonl", 2)
    assert [t.state.name for t in study.trials] == ["FAIL", "COMPLETE"]
    assert study.trials[0].params["x"] != study.trials[1].params["x"]


# ----------------------------------------------------------------- the journal
def test_no_links_are_made(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refused)
    assert len(searched(tmp_path / "s.jsonl", 2).trials) == 2


@pytest.mark.parametrize("target", ["s.jsonl", "/nowhere/s.jsonl"])
def test_a_lock_that_a_dead_process_left_stops_nobody(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    searched("s.jsonl", 1)
    os.symlink(target, "s.jsonl.lock")  # as Optuna's own lock leaves it
    (tmp_path / "s.jsonl.held").write_text("")
    assert len(searched("s.jsonl", 2).trials) == 2
    monkeypatch.chdir(tmp_path.parent)
    assert len(searched(tmp_path / "s.jsonl", 3).trials) == 3


def test_who_waits_for_the_journal_says_so_and_not_for_ever(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(files, "WORD_AFTER", 0.05)
    monkeypatch.setattr(files, "GIVE_UP_AFTER", 0.1)
    study = searched(tmp_path / "s.jsonl", 1)
    said = r"has held the journal '.*s\.jsonl' for 0.1 s"
    with FileLock(tmp_path / "s.jsonl.held"):
        with pytest.raises(TimeoutError, match=said):
            run_trials(study, objective, 2, progress=False)
        with pytest.raises(TimeoutError, match=said):
            open_study(tmp_path / "s.jsonl", "toy")
    assert "another process holds the journal" in caplog.text
    assert outcomes(searched(tmp_path / "s.jsonl", 3))[0] == outcomes(study)[0]


LINE = b'{"op_code":0,"worker_id":"a-b","study_name":"x","directions":[2]}\n'


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"text,label\ngood,1\n", 1),
        (b"no newline", 1),
        (b"[]\n", 1),
        (b"7\n", 1),
        (b"\0" * 64 + b"\n", 1),
        (b"\xff\xfe\n", 1),
        (b"[" * 100_000 + b"\n", 1),
        (LINE + b"{torn\n" + LINE, 2),
        (LINE + b"\n" + LINE, 2),
        (LINE + LINE[:20] + LINE, 2),
    ],
)
def test_a_file_that_is_no_journal_is_named_and_left_alone(tmp_path, content, line):
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"line {line} of .*s.jsonl' is no entry"):
        open_study(path, "toy")
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [1, 5, 30, 64])
def test_a_line_that_was_cut_off_goes_with_the_next_write(tmp_path, length):
    path = tmp_path / "s.jsonl"
    path.write_bytes(LINE[:length])
    assert len(searched(path, 1).trials) == 1
    whole = path.read_bytes()
    path.write_bytes(whole + LINE[:length])
    assert len(searched(path, 2).trials) == 2
    assert path.read_bytes().startswith(whole)


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(ValueError, match="must be a file"):
        open_study(tmp_path, "toy")


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (1, ValueError, "of seed 0, got seed 1"),
        (-1, ValueError, "seed must lie in"),
        (2**32, ValueError, "seed must lie in"),
        (1.5, TypeError, "seed must be a whole number"),
        (True, TypeError, "seed must be a whole number"),
        (None, TypeError, "seed must be a whole number"),
    ],
)
def test_another_seed_is_refused(tmp_path, seed, error, message):
    searched(tmp_path / "s.jsonl", 1)
    with pytest.raises(error, match=message):
        open_study(tmp_path / "s.jsonl", "toy", seed)


def test_a_study_that_is_not_of_this_kit_is_refused(tmp_path):
    path = tmp_path / "s.jsonl"
    open_study(path, "toy")
    storage = optuna.storages.JournalStorage(search.open_journal(path))
    optuna.create_study(study_name="down", storage=storage, direction="minimize")
    with pytest.raises(ValueError, match="'down' that minimises"):
        open_study(path, "down")
    with pytest.raises(ValueError, match="must come from open_study"):
        run_trials(optuna.create_study(direction="maximize"), objective, 1)


def test_no_trial_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        run_trials(open_study(tmp_path / "s.jsonl", "toy"), objective, 0)


def test_a_training_reports_its_looks_and_a_bad_one_is_cut(
    tmp_path, tokenizers, labelled
):
    tokenizer = tokenizers["bigram"]
    data = encode_reviews(labelled, tokenizer)
    turned = encode_reviews(labelled, tokenizer)
    turned.labels = 1 - data.labels  # what is learnt is wrong on these

    def train(trial):
        train_student(
            "bigram",
            tokenizer,
            data,
            data if trial.number < 4 else turned,
            steps=20,
            callbacks=[ReportToTrial(trial)],
            best=False,
        )
        return max(
            trial.storage.get_trial(trial._trial_id).intermediate_values.values()
        )

    study = run_trials(
        open_study(tmp_path / "s.jsonl", "real"), train, 5, progress=False
    )
    states = [trial.state for trial in study.trials]
    assert states == [optuna.trial.TrialState.COMPLETE] * 4 + [
        optuna.trial.TrialState.PRUNED
    ]
    assert list(study.trials[0].intermediate_values) == [0, 1, 2, 3, 4]
    assert len(study.trials[4].intermediate_values) < 5
