"""Write what TRL's generalised JSD gives, for tests/losses/test_sequence.py.

    python tests/losses/make_sequence_reference.py

Needs TRL (`pip install trl`), which the tests do not: they hold the package's loss
against the table that this leaves in `sequence_reference.json`.
"""

import json
from itertools import product
from pathlib import Path

import torch

PLACE = Path(__file__).with_name("sequence_reference.json")


def case(GKDTrainer, seed, beta, temperature, scale):  # noqa: N803
    """Give logits, labels and what TRL says of them, as plain numbers."""
    draw = torch.Generator().manual_seed(seed)
    student, teacher = (
        (scale * torch.randn(2, 4, 5, generator=draw)).requires_grad_()
        for _ in range(2)
    )
    labels = torch.randint(0, 5, (2, 4), generator=draw)
    labels[0, :2], labels[1, 3] = -100, -100
    options = {"labels": labels, "beta": beta, "temperature": temperature}
    loss = GKDTrainer.generalized_jsd_loss(student, teacher.detach(), **options)
    divided = GKDTrainer.generalized_jsd_loss(
        student, teacher.detach(), **options, num_items_in_batch=7
    )
    (slope,) = torch.autograd.grad(loss, student)
    return {
        "beta": beta,
        "temperature": temperature,
        "student_logits": student.tolist(),
        "teacher_logits": teacher.tolist(),
        "labels": labels.tolist(),
        "loss": loss.item(),
        "loss_over_7_tokens": divided.item(),
        "gradient": slope.tolist(),
    }


if __name__ == "__main__":
    import trl
    from trl.experimental.gkd import GKDTrainer

    grid = product((0.0, 0.1, 0.5, 0.9, 1.0), ((1.0, 2.0), (2.5, 4.0), (0.7, 8.0)))
    cases = [case(GKDTrainer, i, beta, *rest) for i, (beta, rest) in enumerate(grid)]
    content = {"made_by": f"trl {trl.__version__}", "cases": cases}
    PLACE.write_text(json.dumps(content), "utf-8")
