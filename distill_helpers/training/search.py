"""Search for settings with Optuna: validation only, resumable, bad trials cut.

The study is kept in a journal, a file of JSON lines: a search that was killed
goes on where it was, and several processes may share one file. What a trial
tries follows from the seed, the number of its draw and what has ended before.
A trial that was stopped hands its draw to the next one, so a search that was
killed and taken up again tries what it would have tried.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState
from transformers import TrainerCallback

from ..arguments import check_type, check_whole
from .journal import Sittings, open_journal

METRIC = "eval_accuracy"
SEED, DRAW, SITTING, STOPPED = "seed", "draw", "sitting", "stopped"
"""Names of attributes; the first and the last are a study's."""


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


class DrawSampler(optuna.samplers.TPESampler):
    """Optuna's TPE for one trial, seeded by the number of its draw.

    Parameters
    ----------
    seed : int
        The search's, from 0 to 2**32 - 1.
    journal : str or Path
    draw : int, default 0
        From 0 on; no two trials of a search share one unless one was stopped.
    """

    def __init__(self, seed: int, journal: str | Path, draw: int = 0) -> None:
        mixed = np.random.SeedSequence([seed, draw]).generate_state(1)
        super().__init__(seed=int(mixed[0]), n_startup_trials=4)
        self.seed, self.journal = seed, journal


def open_study(path: str | Path, name: str, seed: int = 0) -> optuna.Study:
    """Begin a study, or take up the one that a journal holds.

    Parameters
    ----------
    path : str or Path
        The journal; made if it is missing, with its folder.
    name : str
        Of the study in it.
    seed : int, default 0
        Of all trials, whoever runs them. Processes that share a study share its
        seed and yet try different settings.

    Returns
    -------
    optuna.Study
        Maximises; cuts trials below the median after a few that ran whole. It is
        for :func:`run_trials`.

    Raises
    ------
    ValueError
        If the file is no journal or a damaged one, or holds a study of this name
        with another seed or another direction.
    TypeError
        If `seed` is no whole number.
    """
    check_whole("seed", seed, 0, 2**32 - 1)
    path = Path(path).resolve()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=optuna.storages.JournalStorage(open_journal(path)),
        load_if_exists=True,
        direction="maximize",
        sampler=DrawSampler(seed, path),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )
    _check_same_search(study, path, seed)
    return study


def _check_same_search(study: optuna.Study, path: Path, seed: int) -> None:
    if study.direction is not optuna.study.StudyDirection.MAXIMIZE:
        raise ValueError(
            f"{str(path)!r} holds a study {study.study_name!r} that minimises; choose"
            " another name"
        )
    held = study.user_attrs.get(SEED)
    if held is None:
        study.set_user_attr(SEED, seed)
    elif held != seed:
        raise ValueError(
            f"{str(path)!r} holds a study {study.study_name!r} of seed {held}, got seed"
            f" {seed}: use that one (no two trials of a study repeat each other) or"
            " another name"
        )


def run_trials(
    study: optuna.Study, objective: Callable, trials: int, progress: bool = True
) -> optuna.Study:
    """Run trials until the study has `trials` that ended, and return it.

    Parameters
    ----------
    study : optuna.Study
        From :func:`open_study`.
    objective : callable
        Takes a trial, returns a score on validation reviews. A trial whose score
        is no number is kept as failed, and the search goes on.
    trials : int
        Counts those of earlier sittings and of other processes that share the
        study; at least 1. One that was interrupted or killed does not count, and
        is begun again. Each process may begin one more than is needed.
    progress : bool, default True

    Returns
    -------
    optuna.Study

    Raises
    ------
    ValueError
        If `trials` is below 1, or the study is none of :func:`open_study`.
    """
    from tqdm.auto import tqdm

    check_whole("trials", trials, 1)
    check_type("study", study, optuna.Study, "a study of open_study")
    if not isinstance(study.sampler, DrawSampler):
        raise ValueError(
            f"study {study.study_name!r} must come from open_study, which keeps it in a"
            " journal"
        )
    sittings = Sittings(study.sampler.journal)
    with (
        sittings.sitting() as name,
        tqdm(total=trials, desc="trials", disable=not progress) as bar,
    ):
        bar.update(_ended(study))
        while _ended(study) < trials:
            _run_trial(study, _begin_trial(study, sittings, name), objective)
            bar.update(_ended(study) - bar.n)
    return study


def _begin_trial(study: optuna.Study, sittings: Sittings, sitting: str) -> optuna.Trial:
    """Take the first draw that is free; those of dead processes are."""
    with sittings.alone():
        stopped = _stopped(study)
        taken = set()
        for one in study.get_trials(deepcopy=False):
            running = one.state == TrialState.RUNNING
            if running and not sittings.lasts(one.user_attrs.get(SITTING)):
                _stop(study, one.number)
            elif one.number not in stopped:
                taken.add(one.user_attrs.get(DRAW, one.number))
        draw = next(n for n in range(len(taken) + 1) if n not in taken)
        sampler = study.sampler
        study.sampler = DrawSampler(sampler.seed, sampler.journal, draw)
        trial = study.ask()
        trial.set_user_attr(SITTING, sitting)
        trial.set_user_attr(DRAW, draw)
        return trial


def _run_trial(study: optuna.Study, trial: optuna.Trial, objective: Callable) -> None:
    try:
        value = objective(trial)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except Exception:
        study.tell(trial, state=TrialState.FAIL)
        raise
    except BaseException:  # Ctrl-C, or the kernel's stop
        _stop(study, trial.number)
        raise
    else:
        study.tell(trial, value)  # warns of one that is no number


def _stop(study: optuna.Study, number: int) -> None:
    study.set_user_attr(f"{STOPPED} {number}", True)
    study.tell(number, state=TrialState.FAIL)


def _stopped(study: optuna.Study) -> set[int]:
    words = (name.split() for name in study.user_attrs)
    return {int(word[1]) for word in words if word[0] == STOPPED and word[1:]}


def _ended(study: optuna.Study) -> int:
    stopped = _stopped(study)
    return sum(
        t.state.is_finished() and t.number not in stopped
        for t in study.get_trials(deepcopy=False)
    )
