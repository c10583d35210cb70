"""Train an encoder's upper layers on kept states; a stopped run goes on.

The head begins as a logistic regression on the features of the encoder as it is, then
head and layers are trained together [1]_. Every so many steps weights, optimiser and
all that is measured are written into one file, whole or not at all.

References
----------
.. [1] A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
   out-of-distribution", ICLR 2022.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from tqdm.auto import tqdm

from ..arguments import check_number, check_whole
from ..data.cleaning import check_texts
from ..data.encoding import device_of, length_grouped
from ..files import made_folder, whole_file
from .base import Teacher
from .heads import fit_head
from .kept_layers import (
    KeptStates,
    SplitEncoder,
    check_made_from,
    digest_of,
    lower_states,
    pad_states,
)
from .live import weights_revision
from .windows import tokenize_windows

WARM_UP = 0.06
"""Share of the steps in which the learning rate rises; then it falls to zero."""
ASKED_AT_ONCE = 32


class UpperLayers(torch.nn.Module):
    """Upper layers and a linear head on the mean of all of a text's tokens.

    Parameters
    ----------
    layers : Module
        From :func:`~distill_helpers.teachers.kept_layers.split_encoder`.
    width : int
        Of its hidden states.
    classes : int
    """

    def __init__(self, layers: torch.nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.layers, self.head = layers, torch.nn.Linear(width, classes)

    @classmethod
    def untrained(cls, encoder: SplitEncoder, classes: int) -> UpperLayers:
        """Return a copy of an encoder's upper layers, with a head drawn at random."""
        width = encoder.lower.config.hidden_size
        made = cls(copy.deepcopy(encoder.upper), width, classes)
        return made.to(device_of(encoder.lower))

    def features(self, hidden, mask, owners) -> torch.Tensor:
        """Return a vector of length 1 for each text, float32, shape (texts, width).

        Parameters
        ----------
        hidden, mask, owners : Tensor
            As :meth:`~distill_helpers.teachers.kept_layers.KeptStates.batch` gives
            them.
        """
        device = self.head.weight.device
        hidden, mask, owners = (t.to(device) for t in (hidden, mask, owners))
        barred = None
        if not mask.all():
            least = torch.finfo(torch.bfloat16).min
            barred = (~mask[:, None, None, :]).to(torch.bfloat16) * least
        with torch.autocast(device.type, torch.bfloat16):
            states = self.layers(hidden.float(), barred)[0]
        sums = (states.float() * mask[:, :, None]).sum(1)
        whole = sums.new_zeros(int(owners.max()) + 1, sums.shape[-1])
        return F.normalize(whole.index_add(0, owners, sums), dim=1)

    def forward(self, hidden, mask, owners) -> torch.Tensor:
        """Return logits, float32, shape (texts, classes)."""
        return self.head(self.features(hidden, mask, owners))


@dataclass(frozen=True)
class Trained:
    """Upper layers that are trained, and what that took.

    Attributes
    ----------
    model : UpperLayers
    losses : list of float
        Cross-entropy of each step.
    watched : list of (int, float, float)
        Steps done, CPU seconds so far, and what `watch` said then.
    seconds : float
        CPU seconds, over all calls; those of `watch` are left out.
    """

    model: UpperLayers
    losses: list[float]
    watched: list
    seconds: float


def train_upper(
    folder: str | Path,
    encoder: SplitEncoder,
    kept: KeptStates,
    rows: Sequence[int],
    labels: Sequence[int],
    *,
    epochs: int = 2,
    learning_rate: float = 5e-5,
    batch_size: int = 16,
    seed: int = 0,
    every: int = 50,
    watch: Callable[[UpperLayers], float] | None = None,
    progress: bool = True,
) -> Trained:
    """Train upper layers on some of the kept texts; go on where a call was stopped.

    Parameters
    ----------
    folder : str or Path
        Of this training alone. ``checkpoint.safetensors`` stands there while it
        goes on, ``upper.safetensors`` when it is done: then this only reads it.
    encoder : SplitEncoder
        Whose upper layers a copy is trained of.
    kept : KeptStates
        Of the same encoder.
    rows : sequence of int
        The texts to learn from.
    labels : sequence of int
        Class of each of `rows`.
    epochs : int, default 2
    learning_rate : float, default 5e-5
        Peak of a linear schedule.
    batch_size : int, default 16
        Texts in a step.
    seed : int, default 0
        Order of the batches.
    every : int, default 50
        Steps between two checkpoints: what an interruption can cost.
    watch : callable, optional
        Given the model before the first step and after each epoch, says a number
        about it.
    progress : bool, default True

    Returns
    -------
    Trained

    Raises
    ------
    OtherPiecesError
        If the folder is of another training; nothing is written then.
    ValueError
        If a number is out of its range, `rows` and `labels` differ in length, or
        there is only one class.
    """
    check_whole("epochs", epochs, least=1)
    check_whole("every", every, least=1)
    check_whole("batch_size", batch_size, least=1)
    check_number("learning_rate", learning_rate, above=0)
    rows, labels, classes = _checked(rows, labels)
    facts = kept.facts | {
        "upper layers": weights_revision(encoder.upper),
        "learns from": digest_of([[kept.keys[row] for row in rows], labels.tolist()]),
        "settings": json.dumps([epochs, learning_rate, batch_size, seed]),
    }
    model = UpperLayers.untrained(encoder, classes)
    run = _Run(made_folder(folder, "training"), facts, model, learning_rate)
    if run.read_result():
        return run.result
    batches = _order(kept, rows, epochs, batch_size, seed)
    if not run.read_checkpoint():
        with run.clock():
            begin_head(model, kept, rows, labels)
        run.watch(watch)
        run.write_checkpoint()
    done, total = len(run.losses), len(batches)
    steps = tqdm(
        range(done, total), "upper layers", total, initial=done, disable=not progress
    )
    for step in steps:
        at = batches[step]
        with run.clock():
            hidden = kept.batch(rows[at].tolist())
            run.learn(hidden, labels[at], learning_rate * slope(step, total))
        if (step + 1) % (total // epochs) == 0:
            run.watch(watch)
        if (step + 1) % every == 0:
            run.write_checkpoint()
    return run.write_result()


def _checked(rows, labels) -> tuple[np.ndarray, np.ndarray, int]:
    if len(rows) != len(labels) or not len(rows):
        raise ValueError(
            f"rows and labels must be of one length above 0, got {len(rows)} and"
            f" {len(labels)}"
        )
    rows, labels = np.asarray(rows), np.asarray(labels)
    if labels.max() < 1 or labels.min() < 0:
        raise ValueError(
            "labels must be class numbers from 0 on, of two classes at least, got"
            f" {sorted(set(labels.tolist()))}"
        )
    return rows, labels, int(labels.max()) + 1


def slope(step: int, total: int) -> float:
    """Return the share of the learning rate that a step takes: up, then down.

    Examples
    --------
    >>> [slope(step, 100) for step in (0, 6, 53, 99)]
    [0.16666666666666666, 1.0, 0.5, 0.010638297872340425]
    """
    rise = max(1, round(WARM_UP * total))
    return min((step + 1) / rise, (total - step) / (total - rise or 1))


def begin_head(model: UpperLayers, kept: KeptStates, rows, labels) -> None:
    """Set the head to a logistic regression on the features as they are."""
    width, classes = model.head.in_features, model.head.out_features
    features = _asked(model.features, kept, rows, width)
    head = fit_head(features, np.eye(classes, dtype=bool)[labels])
    with torch.no_grad():
        model.head.weight.copy_(torch.from_numpy(head.weights.T))
        model.head.bias.copy_(torch.from_numpy(head.bias))


def kept_logits(
    model: UpperLayers, kept: KeptStates, rows: Sequence[int]
) -> np.ndarray:
    """Return logits for texts whose states are kept.

    Parameters
    ----------
    model : UpperLayers
    kept : KeptStates
    rows : sequence of int

    Returns
    -------
    ndarray of float32, shape (len(rows), classes)
    """
    return _asked(model, kept, rows, model.head.out_features)


@torch.no_grad()
def _asked(ask, kept: KeptStates, rows, width: int) -> np.ndarray:
    rows = np.asarray(rows)
    found = np.zeros((len(rows), width), np.float32)
    for at in length_grouped(_sizes(kept, rows), ASKED_AT_ONCE):
        found[at] = ask(*kept.batch(rows[at].tolist())).cpu().numpy()
    return found


def _sizes(kept: KeptStates, rows) -> list[int]:
    return [sum(kept.lengths[row]) for row in rows]


def _order(kept, rows, epochs, batch_size, seed) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    sizes = _sizes(kept, rows)
    each = [length_grouped(sizes, batch_size, generator) for _ in range(epochs)]
    return [batch for epoch in each for batch in epoch]


class _Run:
    """A training's state, and the files that it lies in."""

    def __init__(self, folder: Path, facts: dict, model: UpperLayers, rate) -> None:
        self.checkpoint = folder / "checkpoint.safetensors"
        self.done = folder / "upper.safetensors"
        self.facts, self.model = facts, model
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, rate, weight_decay=0.01)
        self.losses: list[float] = []
        self.watched: list = []
        self.seconds = 0.0

    @property
    def result(self) -> Trained:
        return Trained(self.model.eval(), self.losses, self.watched, self.seconds)

    @contextmanager
    def clock(self) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds += time.process_time() - begun

    def watch(self, watch) -> None:
        if watch is not None:
            said = float(watch(self.model))
            self.watched.append([len(self.losses), self.seconds, said])

    def learn(self, states, labels, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logits = self.model(*states)
        loss = F.cross_entropy(logits, torch.as_tensor(labels, device=logits.device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.losses.append(loss.item())

    def write_checkpoint(self) -> None:
        self._write(self.checkpoint, self._weights() | self._optimizer())

    def write_result(self) -> Trained:
        self._write(self.done, self._weights())
        self.checkpoint.unlink(missing_ok=True)
        return self.result

    def _write(self, file: Path, tensors: dict) -> None:
        told = {"losses": self.losses, "watched": self.watched}
        told["seconds"] = self.seconds
        with whole_file(file) as temporary:
            save_file(tensors, temporary, self.facts | {"told": json.dumps(told)})

    def _weights(self) -> dict:
        return {f"model.{n}": t for n, t in self.model.state_dict().items()}

    def _optimizer(self) -> dict:
        return {
            f"optimizer.{number}.{name}": value
            for number, p in enumerate(self.trained)
            for name, value in self.optimizer.state[p].items()
        }

    def read_result(self) -> bool:
        return self._read(self.done)

    def read_checkpoint(self) -> bool:
        return self._read(self.checkpoint)

    def _read(self, file: Path) -> bool:
        """Take what a file holds; say whether there is one."""
        if not file.is_file():
            return False
        told = json.loads(check_made_from(file, self.facts)["told"])
        self.losses, self.watched = told["losses"], told["watched"]
        self.seconds = told["seconds"]
        weights = {}
        for name, tensor in load_file(file).items():
            what, _, rest = name.partition(".")
            if what == "model":
                weights[rest] = tensor
            else:
                number, _, key = rest.partition(".")
                self.optimizer.state[self.trained[int(number)]][key] = tensor
        self.model.load_state_dict(weights)
        return True


class LayeredTeacher(Teacher):
    """A split encoder that was trained, as a teacher: texts in, logits out.

    Parameters
    ----------
    encoder : SplitEncoder
    model : UpperLayers
        Trained on states of this encoder.
    batch_size : int, default 16
        Texts in a forward pass.

    Notes
    -----
    To label many texts in pieces that are kept, give it to a
    :class:`~distill_helpers.teachers.cached.CachedTeacher`.
    """

    def __init__(
        self, encoder: SplitEncoder, model: UpperLayers, *, batch_size: int = 16
    ) -> None:
        self.encoder, self.model = encoder, model.eval()
        self.batch_size = check_whole("batch_size", batch_size, least=1)
        self.num_labels = model.head.out_features
        self.fingerprint = digest_of([encoder.facts, weights_revision(model)])

    @torch.no_grad()
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        check_texts(texts)
        read = tokenize_windows(self.encoder.tokenizer, texts, self.encoder.max_length)
        found = np.zeros((len(read), self.num_labels), np.float32)
        sizes = [sum(map(len, windows)) for windows in read]
        for rows in length_grouped(sizes, self.batch_size):
            counts = [len(read[row]) for row in rows]
            windows = [window for row in rows for window in read[row]]
            states = iter(lower_states(self.encoder, windows))
            batch = pad_states([list(islice(states, count)) for count in counts])
            found[rows] = self.model(*batch).cpu().numpy()
        return found
