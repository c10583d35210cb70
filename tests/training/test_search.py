"""A search sees validation alone, resumes, and cuts what does badly."""

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from distill_helpers.data.encoding import encode_reviews
from distill_helpers.training.recipes import train_student
from distill_helpers.training.search import ReportToTrial, open_study, run_trials

ROOT = Path(__file__).resolve().parents[2]


def objective(trial):
    return -((trial.suggest_float("x", -1, 1) - 0.5) ** 2)


def test_a_search_that_was_stopped_goes_on_where_it_was(tmp_path):
    path = tmp_path / "deep" / "study.jsonl"
    run_trials(open_study(path, "toy"), objective, 3, progress=False)
    again = run_trials(open_study(path, "toy"), objective, 7, progress=False)
    assert len(again.trials) == 7
    assert run_trials(open_study(path, "toy"), objective, 5, progress=False)
    assert len(open_study(path, "toy").trials) == 7
    assert again.best_value == max(t.value for t in again.trials)


def test_one_seed_gives_one_search(tmp_path):
    tried = [
        [
            t.params
            for t in run_trials(
                open_study(tmp_path / f"{n}.jsonl", "toy", seed=3),
                objective,
                6,
                progress=False,
            ).trials
        ]
        for n in range(2)
    ]
    assert tried[0] == tried[1]


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


SHARED = """
import sys
from distill_helpers.training.search import open_study, run_trials

def objective(trial):
    time.sleep(0.05)
    return -abs(trial.suggest_float("x", -1, 1) - 0.5)

import time
run_trials(open_study(sys.argv[1], "shared"), objective, 12, progress=False)
"""


def test_two_processes_share_one_search(tmp_path):
    path = tmp_path / "study.jsonl"
    command = [sys.executable, "-c", SHARED, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    study = open_study(path, "shared")
    states = [trial.state for trial in study.trials]
    assert states == [optuna.trial.TrialState.COMPLETE] * len(states)
    assert len(states) in (12, 13)  # both may have begun the last one
    assert len({trial.params["x"] for trial in study.trials}) > 6
