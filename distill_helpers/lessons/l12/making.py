"""Train the teacher of lesson 12 anew.

``python -m distill_helpers.lessons.l12.making NEW_FOLDER``

It learns from the right answers to cards that are drawn from a seed. Now and then one
of its senses is missing, so that it can do with either. Its script is kept, its
weights are shipped: a lesson must not begin with minutes of waiting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ...arguments import CommandLine
from ...data.cards import SIDE, Cards, draw_cards, drop_senses
from ...evaluation.cost import one_thread
from ...files import whole_folder
from ...students.card_reading import card_tensors
from ...students.cross_attention import build_card_student

SHAPE = {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4}
CARDS, STEPS, BATCH, RATE, SHARE_WITHOUT = 100_000, 4_500, 64, 3e-3, 0.15
SEED = 12


def train_teacher(cards: Cards, steps: int = STEPS):
    """Train a wide reader of cards on their right answers.

    Parameters
    ----------
    cards : Cards
    steps : int

    Returns
    -------
    CrossAttentionForCards
        In evaluation mode.
    """
    model = build_card_student(SEED, **SHAPE)
    inputs = card_tensors(cards)
    ids, pictures = inputs["input_ids"], inputs["pixel_values"]
    labels = torch.from_numpy(cards.labels)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    chance = torch.Generator().manual_seed(SEED)
    for step in range(steps):
        rows = torch.randint(len(ids), (BATCH,), generator=chance)
        moved = shifted(pictures[rows], chance)
        loss = model(ids[rows], moved, labels=labels[rows]).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        schedule.step()
        if (step + 1) % 500 == 0:
            print(f"step {step + 1}, loss {loss.item():.3f}", flush=True)
    return model.eval()


def shifted(pictures: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Move each digit by a pixel to a side, or not, at random.

    Parameters
    ----------
    pictures : Tensor, shape (batch, 16, 24)
    chance : torch.Generator

    Returns
    -------
    Tensor, of the same shape
        What leaves a cell on one side comes back on the other: those columns are
        nearly always empty.
    """
    cells = pictures.reshape(-1, 2, SIDE, 3, SIDE).transpose(2, 3)
    way = torch.randint(-1, 2, (len(pictures), 2, 3, 1, 1), generator=chance)
    for step in (-1, 1):
        cells = torch.where(way == step, cells.roll(step, 4), cells)
    return cells.transpose(2, 3).reshape(pictures.shape)


@torch.no_grad()
def by_sense(model, cards: Cards) -> dict[str, float]:
    """Return a model's accuracy with both senses, and with each alone.

    Parameters
    ----------
    model : CrossAttentionForCards
    cards : Cards
        With both senses.

    Returns
    -------
    dict of str to float
    """
    views = {
        "both senses": cards,
        "picture alone": cards.without("typed"),
        "typed copy alone": cards.without("picture"),
    }
    right = torch.from_numpy(cards.labels)
    return {
        name: (model(**card_tensors(view)).logits.argmax(1) == right)
        .float()
        .mean()
        .item()
        for name, view in views.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the teacher and write it to a new folder."""
    parser = CommandLine(description=__doc__)
    parser.add_argument("out", type=Path, help="a folder that does not exist")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    with one_thread(), whole_folder(options.out, "teacher") as folder:
        begin = time.process_time()
        cards = drop_senses(draw_cards(CARDS, "train", SEED), SHARE_WITHOUT, SEED)
        model = train_teacher(cards, options.steps)
        seconds = time.process_time() - begin
        scores = by_sense(model, draw_cards(2_000, "validation", SEED))
        model.save_pretrained(folder)
        about = {
            "made by": "distill_helpers/lessons/l12/making.py",
            "cards": CARDS,
            "steps": options.steps,
            "weights": model.num_parameters(),
            "processor seconds": round(seconds),
            "accuracy on validation cards": {k: round(v, 3) for k, v in scores.items()},
        }
        (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    print(json.dumps(about, indent=2))


if __name__ == "__main__":
    main()
