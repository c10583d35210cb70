"""A ``Trainer`` that counts before it divides: each loss by what it sums over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from transformers.trainer import TRAINING_ARGS_NAME

from ..data.encoding import LengthGroupedSampler
from ..losses.weighted import WeightedLoss, weighted_sum
from .checkpoints import WholeCheckpoints
from .garbage import only_new_garbage
from .judged import JudgedLosses
from .task import DivergedError


def order_seed(args) -> int:
    """Return the seed of the order of the texts, as the stock Trainer takes it."""
    return args.seed if args.data_seed is None else args.data_seed


class CountedLosses(WholeCheckpoints):
    """Sums losses over an accumulated batch and divides by what they count in it.

    So k small batches, on however many processes, give the gradient of one large
    batch. The logs show each loss by its name, before its weight; of an evaluation,
    as a mean over all that it counts.

    Attributes
    ----------
    losses : list of WeightedLoss
        Set before training; `weigh` may be given fewer of them.
    """

    loss_is_scaled_for_ga = True
    losses: list[WeightedLoss]

    def __init__(self, *args, **kwargs) -> None:
        self._terms: dict[str, torch.Tensor] = {}
        self._term_steps = 0
        self._judged = JudgedLosses()
        self._weights: int | None = None
        super().__init__(*args, **kwargs)

    def get_batch_samples(self, epoch_iterator, num_batches, device):
        """Count what each loss sums over in the whole accumulated batch."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        batches = self.batches_of_update(batches)
        counts = [sum(loss.count(b) for b in batches) for loss in self.losses]
        # Whole numbers, as not every device has float64.
        counts = torch.tensor(counts, dtype=torch.int64, device=self.args.device)
        return batches, self.accelerator.reduce(counts, "sum")

    def batches_of_update(self, batches: list[Mapping]) -> list[Mapping]:
        """Return what an update learns from; a subclass may put other texts there."""
        return batches

    def texts_an_update(self) -> int:
        """Return how many texts an update reads, on all processes."""
        args = self.args
        own = args.train_batch_size * args.gradient_accumulation_steps
        return own * args.world_size

    def floating_point_ops(self, inputs: Mapping) -> int:
        """See ``Trainer.floating_point_ops``; counts the weights once, not each step.

        Walking through a small student takes longer than one of its layers.
        """
        main = getattr(self.model, "main_input_name", "input_ids")
        if main not in inputs or not hasattr(self.model, "num_parameters"):
            return super().floating_point_ops(inputs)
        if self._weights is None:
            self._weights = self.model.num_parameters(exclude_embeddings=True)
        return 6 * inputs[main].numel() * self._weights

    def _get_train_sampler(self, train_dataset=None):
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        dataset = self.train_dataset if train_dataset is None else train_dataset
        return LengthGroupedSampler(
            dataset.lengths, self.texts_an_update(), order_seed(self.args)
        )

    def weigh(
        self,
        losses: Sequence[WeightedLoss],
        outputs,
        batch: Mapping,
        counts: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the weighted sum of some losses, and remember each for the log.

        Parameters
        ----------
        losses : sequence of WeightedLoss
        outputs : ModelOutput
            The student's.
        batch : mapping of str to Tensor
        counts : Tensor, shape (losses,), or None
            What each of ``self.losses`` counts in the update that the batch is a part
            of; None in an evaluation, where the batch stands for itself.

        Returns
        -------
        Tensor, shape ()
        """
        divisors = None if counts is None else self._shares(counts)
        loss, terms = weighted_sum(losses, outputs, batch, divisors)
        if counts is None:
            self._judged.add(losses, terms, batch)
        else:
            self._remember(terms)
        return loss

    def _shares(self, counts: torch.Tensor) -> dict[str, float]:
        """Divisors by the losses' names.

        Gradients are averaged over the processes, so each divides its sums by
        its share of what all of them hold together.
        """
        names = [loss.name for loss in self.losses]
        shares = [count / self.args.world_size for count in counts.tolist()]
        return dict(zip(names, shares))

    def check_numbers(self, values: torch.Tensor) -> None:
        """Raise DivergedError if a value is NaN or infinite."""
        if not torch.isfinite(values).all():
            raise DivergedError(
                "the student diverged: NaN or infinite values at step"
                f" {self.state.global_step}. Lower learning_rate"
                f" ({self.args.learning_rate:g}), lengthen warmup_steps, or set"
                f" max_grad_norm (now {self.args.max_grad_norm!r})"
            )

    def train(self, *args, **kwargs):
        """See ``WholeCheckpoints.train``; a student that ends as NaN is an error."""
        with only_new_garbage():
            ended = super().train(*args, **kwargs)
        for weights in self.model.parameters():
            self.check_numbers(weights)
        return ended

    def evaluation_loop(
        self,
        dataloader,
        description,
        prediction_loss_only=None,
        ignore_keys=None,
        metric_key_prefix="eval",
    ):
        """See ``Trainer.evaluation_loop``; adds each loss by its name.

        The stock Trainer averages batches, whose means are not of equally many
        labels: here every label counts alike, and so does every soft target.
        """
        self._judged = JudgedLosses()
        output = super().evaluation_loop(
            dataloader,
            description,
            prediction_loss_only,
            ignore_keys,
            metric_key_prefix,
        )
        loss = f"{metric_key_prefix}_loss"
        if loss in output.metrics:
            total, means = self._judged.means(self.accelerator.reduce)
            output.metrics[loss] = total
            for name, value in means.items():
                output.metrics[f"{metric_key_prefix}_{name}"] = value
        return output

    def _remember(self, terms: dict[str, torch.Tensor]) -> None:
        for name, value in terms.items():
            self._terms[name] = self._terms.get(name, 0) + value.detach()
        self._term_steps += 1

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the loss terms to what is logged."""
        if "loss" in logs:
            steps = max(1, self._term_steps // self.args.gradient_accumulation_steps)
            logs.update({k: float(v) / steps for k, v in self._terms.items()})
            self._terms, self._term_steps = {}, 0
        super().log(logs, start_time)

    def _save(self, output_dir=None, state_dict=None) -> None:
        super()._save(output_dir, state_dict)
        if not self.args.should_save:  # another process of the launch writes
            return
        folder = Path(output_dir or self.args.output_dir)
        # The stock Trainer pickles its arguments; JSON says the same.
        (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
        (folder / "training_args.json").write_text(
            self.args.to_json_string(), encoding="utf-8"
        )


def each_part(datasets, change: Callable):
    """Change a data set, or every one of a dictionary.

    Parameters
    ----------
    datasets : Dataset, or mapping of str to Dataset
    change : callable
        From a data set to another.
    """
    if isinstance(datasets, Mapping) and not hasattr(datasets, "column_names"):
        return {name: change(part) for name, part in datasets.items()}
    return change(datasets)
