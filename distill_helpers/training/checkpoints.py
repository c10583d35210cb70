"""Checkpoints that are whole or not there, and a resume that looks before it goes on."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from transformers import Trainer
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, rotate_checkpoints

FACTS = "distillation.json"
"""What a checkpoint's run was made of; see :func:`data_digest` for the data."""
STATE = "trainer_state.json"
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_LOG = logging.getLogger(__name__)


class CheckpointError(ValueError):
    """A checkpoint that a run must not be resumed from."""


class WholeCheckpoints(Trainer):
    """A ``Trainer`` whose checkpoints appear whole or not at all.

    Each is written beside its place and moved there when it is complete, so that a
    run that was killed while it saved finds the one before.
    """

    _staging: Path | None = None

    def resume_facts(self) -> dict:
        """Return what must not differ when a run is resumed, as plain data."""
        return {}

    def resume_files(self) -> list[str]:
        """Return the names of further files that a checkpoint must hold."""
        return []

    def train(self, resume_from_checkpoint=None, *args, **kwargs):
        """See ``Trainer.train``.

        Parameters
        ----------
        resume_from_checkpoint : bool, str or Path, optional
            True takes the newest checkpoint that is whole, and says which.

        Raises
        ------
        CheckpointError
            If there is no whole one, the one that is named is not whole (a file
            is missing or torn, or it was saved without optimiser, schedule or
            random state), or it comes from a run with another teacher, data,
            seed or loss.
        """
        if not resume_from_checkpoint:
            return super().train(None, *args, **kwargs)
        further = self._all_files()
        if resume_from_checkpoint is True:
            path = newest_whole(self.args.output_dir, further)
        else:
            path = Path(resume_from_checkpoint)
            why = what_is_torn(path, further)
            if why:
                raise CheckpointError(f"cannot resume from {str(path)!r}: {why}")
        check_facts(path, self.resume_facts())
        return super().train(str(path), *args, **kwargs)

    def _all_files(self) -> list[str]:
        if self.is_deepspeed_enabled or self.is_fsdp_enabled:
            return self.resume_files()  # these lay out files of their own
        index = self.args.process_index
        random = (
            f"rng_state_{index}.pth" if self.args.world_size > 1 else "rng_state.pth"
        )
        return ["optimizer.pt", "scheduler.pt", random, *self.resume_files()]

    def _get_output_dir(self, trial):
        return str(self._staging or super()._get_output_dir(trial))

    def _save_checkpoint(self, model, trial) -> None:
        if self.args.push_to_hub:  # it goes on reading the folder
            return super()._save_checkpoint(model, trial)
        run = Path(self._get_output_dir(trial))
        name = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        staging, writes = run / f".part-{name}", self.args.should_save
        if writes and staging.exists():
            shutil.rmtree(staging)
        self.accelerator.wait_for_everyone()
        self._staging = staging
        try:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if writes:
                self._finish(staging / name, run / name)
        finally:
            self._staging = None
            if writes:
                shutil.rmtree(staging, ignore_errors=True)
        if writes:
            best, most = self.state.best_model_checkpoint, self.args.save_total_limit
            rotate_checkpoints(str(run), most, best, use_mtime=True)
        self.accelerator.wait_for_everyone()

    def _finish(self, made: Path, place: Path) -> None:
        """Complete a checkpoint and move it to its place."""
        if self.state.best_model_checkpoint == str(made):
            self.state.best_model_checkpoint = str(place)
        self.state.save_to_json(str(made / STATE))
        if not self.args.save_only_model:
            text = json.dumps(self.resume_facts(), indent=1) + "\n"
            (made / FACTS).write_text(text, "utf-8")
        if place.exists():  # of an earlier run into the same folder
            os.replace(place, made.with_name("old"))
        os.replace(made, place)


# ------------------------------------------------------------------- resuming
def newest_whole(folder: str | Path, files: Sequence[str] = ()) -> Path:
    """Find the newest checkpoint of a run that is whole, and say which it is.

    Parameters
    ----------
    folder : str or Path
        The run's ``output_dir``.
    files : sequence of str
        Names that a checkpoint must hold besides its weights and its state.

    Returns
    -------
    Path

    Raises
    ------
    CheckpointError
        If there is none; the message says what is wrong with each.
    """
    pattern, torn = re.compile(rf"{PREFIX_CHECKPOINT_DIR}-(\d+)"), {}
    folder = Path(folder)
    inside = folder.iterdir() if folder.is_dir() else ()
    steps = {int(m[1]): p for p in inside if (m := pattern.fullmatch(p.name))}
    for _, path in sorted(steps.items(), reverse=True):
        why = what_is_torn(path, files)
        if why is None:
            passed = "; ".join(f"{name} is not whole: {w}" for name, w in torn.items())
            _LOG.warning(
                "resuming from %s%s", path.name, f" ({passed})" if passed else ""
            )
            return path
        torn[path.name] = why
    found = "; ".join(f"{name}: {why}" for name, why in torn.items()) or "there is none"
    raise CheckpointError(
        f"no whole checkpoint in {str(folder)!r} to resume from: {found}"
    )


def what_is_torn(folder: Path, files: Sequence[str] = ()) -> str | None:
    """Say why a run cannot be resumed from a checkpoint, or None if it can.

    Parameters
    ----------
    folder : Path
    files : sequence of str
        As for :func:`newest_whole`.
    """
    if not folder.is_dir():
        return "there is no such folder"
    weights = _INDEX if (folder / _INDEX).is_file() else _WEIGHTS
    written = [FACTS] if (folder / FACTS).is_file() else []
    for name in (STATE, weights, *written, *files):
        path = folder / name
        if not path.is_file():
            return f"it lacks {name}{_MEANING.get(name, '')}"
        if not _reads(path):
            return f"{name} is torn"
    if weights == _INDEX:
        shards = json.loads((folder / _INDEX).read_text("utf-8"))["weight_map"]
        return torn_shard(folder, sorted(set(shards.values())))
    return None


def torn_shard(folder: Path, shards: Sequence[str]) -> str | None:
    """Say which shard of a large model is missing or torn, or None."""
    bad = (n for n in shards if not (folder / n).is_file() or not _reads(folder / n))
    return next((f"{name} is missing or torn" for name in bad), None)


_MEANING = dict.fromkeys(
    ("optimizer.pt", "scheduler.pt", "rng_state.pth"),
    ": without it the run would go on with other weights than undisturbed"
    " (save_only_model=True leaves it out)",
)


def _reads(path: Path) -> bool:
    """Say whether a file is complete, as far as its format tells."""
    if path.suffix == ".json":
        try:
            return isinstance(json.loads(path.read_text("utf-8")), dict)
        except (ValueError, RecursionError):
            return False
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "numpy"):
                return True
        except SafetensorError:
            return False
    return zipfile.is_zipfile(path)  # as torch writes: its list stands at the end


def check_facts(folder: Path, now: Mapping) -> None:
    """Raise if a checkpoint comes from another run than the one that would go on.

    Raises
    ------
    CheckpointError
        The message names what differs, then and now.
    """
    path = folder / FACTS
    if not path.is_file():
        _LOG.warning(
            "%s does not say what its run was made of: whether teacher, data and"
            " settings are the same cannot be checked",
            folder.name,
        )
        return
    then = json.loads(path.read_text("utf-8"))
    now = json.loads(json.dumps(now))
    # What an older checkpoint does not say cannot be compared.
    apart = [name for name, value in then.items() if now.get(name) != value]
    if apart:
        told = "; ".join(f"{n} {then.get(n)!r}, now {now.get(n)!r}" for n in apart)
        raise CheckpointError(
            f"{str(folder)!r} belongs to another run: {told}. Resume with what it was"
            " begun with, or begin anew in another output_dir"
        )


def data_digest(reviews, soft_targets: bool = True) -> str:
    """Return a short hash of what a run is trained on.

    Parameters
    ----------
    reviews : EncodedReviews
    soft_targets : bool, default True
        False leaves them out, where they come from a teacher that is known by its
        fingerprint: another machine may compute their last bits otherwise.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    # Every checkpoint asks again: one long array is far quicker than many short.
    tokens = np.concatenate([np.empty(0, np.int64), *reviews.token_ids])
    arrays = [tokens, reviews.lengths, reviews.labels, *reviews.tensors.values()]
    if soft_targets and reviews.teacher_logits is not None:
        arrays.append(reviews.teacher_logits)
    for values in arrays:
        values = np.ascontiguousarray(values)
        digest.update(f"{values.dtype}{values.shape}".encode() + values.tobytes())
    return digest.hexdigest()[:16]
