"""Claim C12, built: three stages, in which the losses change their weights.

Nobody who claims it says what the stages are. These are ours: first the texts alone,
then texts and teacher alike, at last mostly the teacher.
"""

from __future__ import annotations

from transformers import TrainerCallback

from ...losses.sequence import weighted_jsd, weighted_token_cross_entropy
from ...losses.weighted import WeightedLoss

TEACHERS_SHARE = (0.0, 0.5, 0.9)
"""The weight of the forward KL divergence in each stage; the texts get the rest."""


class ChangingWeights(TrainerCallback):
    """Gives the losses other weights in each third of a training."""

    @staticmethod
    def share_at(done: float) -> float:
        """Return the teacher's weight after a part of the training.

        Parameters
        ----------
        done : float
            Within [0, 1].

        Examples
        --------
        >>> [ChangingWeights.share_at(done) for done in (0.0, 0.4, 0.99)]
        [0.0, 0.5, 0.9]
        """
        stages = len(TEACHERS_SHARE)
        return TEACHERS_SHARE[min(int(done * stages), stages - 1)]

    @staticmethod
    def losses(share: float) -> list[WeightedLoss]:
        """Return cross-entropy and forward KL divergence, weighted."""
        return [
            weighted_token_cross_entropy(weight=1 - share),
            weighted_jsd(beta=0.0, weight=share),
        ]

    def watch(self, trainer) -> None:
        """Change the losses of a trainer while it trains."""
        self._trainer = trainer
        trainer.add_callback(self)

    def on_step_begin(self, args, state, control, **_):
        """See ``TrainerCallback``."""
        share = self.share_at(state.global_step / state.max_steps)
        self._trainer.losses = self.losses(share)
