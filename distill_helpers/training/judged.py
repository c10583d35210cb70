"""The losses of an evaluation, each a mean over all that it counts.

Batches hold different numbers of labels, and the last one is smaller: the mean of
their means is not that of their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from ..losses.weighted import WeightedLoss


class JudgedLosses:
    """Sums of some losses over the batches of one evaluation.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> sums = JudgedLosses()
    >>> loss = SimpleNamespace(name="ce", weight=0.5, count=len)
    >>> sums.add([loss], {"ce": torch.tensor(1.0)}, "abc")
    >>> sums.add([loss], {"ce": torch.tensor(3.0)}, "a")
    >>> sums.means()
    (0.75, {'ce': 1.5})
    """

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}
        self._sums: dict[str, torch.Tensor] = {}

    def add(
        self,
        losses: Sequence[WeightedLoss],
        terms: Mapping[str, torch.Tensor],
        batch: Mapping,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        losses : sequence of WeightedLoss
        terms : mapping of str to Tensor
            The losses of the batch by name, each a mean over what its loss counts.
        batch : mapping of str to Tensor
        """
        for loss in losses:
            count, mean = loss.count(batch), terms[loss.name].detach()
            pair = torch.stack([mean * count, torch.full_like(mean, count)])
            self._sums[loss.name] = self._sums.get(loss.name, 0) + pair
            self._weights[loss.name] = loss.weight

    def means(
        self, reduce: Callable[[torch.Tensor, str], torch.Tensor] | None = None
    ) -> tuple[float, dict[str, float]]:
        """Return the weighted sum of the losses, and each without its weight.

        Parameters
        ----------
        reduce : callable, optional
            Adds up a tensor over all processes of a launch, as accelerate's does.

        Returns
        -------
        (float, dict of str to float)
            A loss of which nothing was counted is 0.
        """
        means = {}
        for name, pair in self._sums.items():
            total, count = (pair if reduce is None else reduce(pair, "sum")).tolist()
            means[name] = total / count if count else 0.0
        weighted = sum(self._weights[name] * mean for name, mean in means.items())
        return float(weighted), means
