"""Search for settings with Optuna: validation only, resumable, bad trials cut.

The study is kept in a journal, a file of JSON lines: a search that was killed
goes on where it was, and several processes may share one file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
from transformers import TrainerCallback

from ..arguments import check_whole

METRIC = "eval_accuracy"


class ReportToTrial(TrainerCallback):
    """Tell Optuna how a training goes, and stop it if others did better.

    Parameters
    ----------
    trial : optuna.trial.Trial
    first_step : int, default 0
        Where this training's evaluations start among those of the trial.
    """

    def __init__(self, trial: optuna.trial.Trial, first_step: int = 0) -> None:
        self.trial = trial
        self.looks = first_step

    def on_evaluate(self, args, state, control, metrics=None, **kwargs) -> None:
        """Report one look at the validation reviews.

        Raises
        ------
        optuna.TrialPruned
            If the trial is worse than most were at this point.
        """
        self.trial.report(metrics[METRIC], self.looks)
        self.looks += 1
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"cut after {self.looks} looks")


def open_study(path: str | Path, name: str, seed: int = 0) -> optuna.Study:
    """Begin a study, or take up the one that a journal holds.

    Parameters
    ----------
    path : str or Path
        The journal; made if it is missing, with its folder.
    name : str
        Of the study in it.
    seed : int, default 0
        Of the sampler, for a study that is run from start to end at once.

    Returns
    -------
    optuna.Study
        Maximises; cuts trials below the median after a few that ran whole.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    return optuna.create_study(
        study_name=name,
        storage=optuna.storages.JournalStorage(backend),
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=4),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )


def run_trials(
    study: optuna.Study, objective: Callable, trials: int, progress: bool = True
) -> optuna.Study:
    """Run trials until the study has `trials` that ended, and return it.

    Parameters
    ----------
    study : optuna.Study
    objective : callable
        Takes a trial, returns a score on validation reviews.
    trials : int
        Counts those of earlier sittings and of other processes that share the
        study; at least 1. Each process may begin one more than is needed.
    progress : bool, default True

    Returns
    -------
    optuna.Study

    Raises
    ------
    ValueError
        If `trials` is below 1.
    """
    from tqdm.auto import tqdm

    check_whole("trials", trials, 1)
    with tqdm(total=trials, desc="trials", disable=not progress) as bar:
        bar.update(_ended(study))
        while _ended(study) < trials:
            study.optimize(objective, n_trials=1)
            bar.update(_ended(study) - bar.n)
    return study


def _ended(study: optuna.Study) -> int:
    return sum(t.state.is_finished() for t in study.get_trials(deepcopy=False))
