"""The students of the lesson: what each learns from, and how it is trained."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from ...data.cards import CARD_LENGTH, QUESTIONS, Cards, drop_senses
from ...data.encoding import EncodedReviews
from ...evaluation.cost import one_thread
from ...files import whole_file
from ...logs import quietly
from ...losses.attention import weighted_maps
from ...losses.combined import standard_losses
from ...losses.labels import weighted_cross_entropy
from ...students.card_reading import (
    CardAnswers,
    answer_cards,
    card_tokenizer,
    encode_cards,
)
from ...students.cross_attention import CrossAttentionForCards, build_card_student
from ...training.config import DistillationConfig
from ...training.trainer import DistillationTrainer
from .loop import WARM_UP, WEIGHT_DECAY, train_plainly
from .states import STATES, projection, weighted_states, with_states

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
"""Of a student."""
RATE, BATCH, TEMPERATURE, ALPHA = 3e-3, 32, 2.0, 0.9
MAPS_WEIGHT = 5.0
"""What the maps count beside the answers; chosen on validation cards."""
STATES_WEIGHT = 3.0
"""What the states count; chosen on validation cards too."""
SAME, CROSSED = ((0, 0), (1, 1)), ((0, 1), (1, 0))
"""Which block of the student looks where which block of the teacher does."""
DROPPED = 0.25
"""Share of the cards that lose their picture, and their typed copy."""


@dataclass(frozen=True)
class Arm:
    """One student.

    Attributes
    ----------
    name : str
    seed : int
        Draws its cards, its first weights and their order.
    steps : int
    answers : {"none", "both", "typed"}
        What of a card the teacher saw whose soft targets it learns; ``"none"``: it
        learns from labels.
    labelled : int or None
        Cards that have a label; None for all.
    maps : {"none", "own", "shuffled", "crossed"}
        Whether it learns where the teacher looks: at its own card; at another card,
        the control; or with the blocks crossed.
    sees : {"both", "dropped", "typed"}
        What of the cards it has in training; ``"dropped"``: now and then one sense is
        missing.
    states : bool
        Whether it learns what the teacher makes of each word; not beside maps.
    weight : float
        Of the maps, or of the states.
    rate : float
        The learning rate at its height.
    views : tuple of str
        Which senses alone it is judged with, besides both.
    keep : str or None
        A folder for the trained student.
    """

    name: str
    seed: int
    steps: int
    answers: str = "both"
    labelled: int | None = None
    maps: str = "none"
    sees: str = "both"
    states: bool = False
    weight: float = MAPS_WEIGHT
    rate: float = RATE
    views: tuple[str, ...] = ()
    keep: str | None = None


@dataclass(frozen=True)
class Marks:
    """How a student did on the cards it is judged by.

    Attributes
    ----------
    name : str
    seed : int
    steps : int
    accuracy : dict of str to float
        With ``"both"`` senses, and what the arm names of the ``"picture"`` alone and
        the ``"typed"`` copy alone.
    looks : float
        Share of its look that the answer token has on the cells that are asked for, in
        the first block; a mean over heads and cards, see :func:`looks_at_asked`.
    seconds : float
        Of one processor, for the training alone.
    """

    name: str
    seed: int
    steps: int
    accuracy: dict[str, float]
    looks: float
    seconds: float


# ----------------------------------------------------------------- the ground
@dataclass(frozen=True)
class Ground:
    """What all students share: cards to learn from, with a teacher's answers.

    Attributes
    ----------
    pool : Cards
    both, typed : CardAnswers
        The teacher's, to the cards as they are, and with the pictures withheld.
    exam : Cards
        To be judged by.
    """

    pool: Cards
    both: CardAnswers
    typed: CardAnswers
    exam: Cards


def prepare(teacher, pool: Cards, exam: Cards) -> Ground:
    """Ask the teacher once for all that its students will need."""
    blind = answer_cards(teacher, pool.without("picture"))
    return Ground(pool, answer_cards(teacher, pool, states=True), blind, exam)


def save_ground(ground: Ground, path: str | Path) -> Path:
    """Write a ground to one file, for other processes to read."""
    numbers = {question: place for place, question in enumerate(QUESTIONS)}
    tensors = {}
    for name in ("pool", "exam"):
        cards = getattr(ground, name)
        asked = [numbers[question] for question in cards.questions]
        tensors |= {
            f"{name}.pictures": cards.pictures,
            f"{name}.typed": cards.typed,
            f"{name}.digits": cards.digits,
            f"{name}.questions": np.asarray(asked),
        }
    for name in ("both", "typed"):
        tensors[f"{name}.logits"] = getattr(ground, name).logits
    tensors |= {"both.maps": ground.both.maps, "both.states": ground.both.states}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(Path(path)) as temporary:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, temporary)
    return Path(path)


@cache
def load_ground(path: str) -> Ground:
    """Read what :func:`save_ground` wrote; once in each process."""
    found = load_file(path)
    pool, exam = (
        Cards(
            found[f"{name}.pictures"],
            found[f"{name}.typed"],
            tuple(QUESTIONS[place] for place in found[f"{name}.questions"]),
            found[f"{name}.digits"],
        )
        for name in ("pool", "exam")
    )
    maps = found["both.maps"]
    both = CardAnswers(found["both.logits"], maps, found["both.states"])
    return Ground(pool, both, CardAnswers(found["typed.logits"], maps), exam)


# ---------------------------------------------------------------- the students
def reads_of(arm: Arm, ground: Ground) -> EncodedReviews:
    """Return what a student learns from.

    Parameters
    ----------
    arm : Arm
    ground : Ground

    Returns
    -------
    EncodedReviews
        In an order of the arm's seed; so many of the first have a label. Without
        answers it holds no other cards than those.
    """
    chance = np.random.default_rng([arm.seed, 5])
    order = chance.permutation(len(ground.pool))
    if arm.answers == "none" and arm.labelled is not None:
        order = order[: arm.labelled]
    cards = ground.pool.some(order)
    if arm.sees == "typed":
        cards = cards.without("picture")
    if arm.sees == "dropped":
        cards = drop_senses(cards, DROPPED, arm.seed)
    if arm.answers == "none":
        return encode_cards(cards)
    logits = getattr(ground, arm.answers).logits[order]
    if arm.maps == "none":
        reads = encode_cards(cards, None, arm.labelled)
        reads = reads.changed(teacher_logits=logits)
        return with_states(reads, ground.both.states[order]) if arm.states else reads
    maps = ground.both.maps[order]
    if arm.maps == "shuffled":
        maps = maps[chance.permutation(len(maps))]
    return encode_cards(cards, CardAnswers(logits, maps), arm.labelled)


def train(arm: Arm, ground: Ground) -> tuple[CrossAttentionForCards, float]:
    """Train a student.

    Parameters
    ----------
    arm : Arm
    ground : Ground

    Returns
    -------
    student : CrossAttentionForCards
    seconds : float
        Of one processor.
    """
    student = build_card_student(arm.seed, **SHAPE)
    reads = reads_of(arm, ground)
    losses, beside = losses_of(arm, reads)
    begin = time.process_time()
    train_plainly(student, reads, losses, arm.steps, arm.rate, BATCH, arm.seed, beside)
    return student, time.process_time() - begin


def train_by_trainer(arm: Arm, ground: Ground) -> CrossAttentionForCards:
    """Train a student as :func:`train` does, by ``DistillationTrainer``.

    Parameters
    ----------
    arm : Arm
        Without states: the trainer takes a projection from its own losses alone.
    ground : Ground

    Returns
    -------
    CrossAttentionForCards
        Within one round of the cards the same as that of :func:`train`, but for
        rounding; later rounds have another order.
    """
    reads = reads_of(arm, ground)
    losses, beside = losses_of(arm, reads)
    if beside:
        raise ValueError(f"arm must learn without states here, got {arm.name!r}")
    with tempfile.TemporaryDirectory() as folder:
        args = DistillationConfig(
            output_dir=folder,
            max_steps=arm.steps,
            learning_rate=arm.rate,
            per_device_train_batch_size=BATCH,
            warmup_steps=WARM_UP,
            weight_decay=WEIGHT_DECAY,
            optim="adamw_torch_fused",
            train_sampling_strategy="random",
            pad_to_multiple_of=CARD_LENGTH,
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            seed=arm.seed,
        )
        trainer = DistillationTrainer(
            build_card_student(arm.seed, **SHAPE),
            None,
            args,
            reads,
            processing_class=card_tokenizer(),
            losses=losses,
        )
        trainer.train()
        return trainer.model.eval()


def losses_of(arm: Arm, reads: EncodedReviews):
    """Return what a student follows, and what learns beside it.

    Parameters
    ----------
    arm : Arm
    reads : EncodedReviews
        Of :func:`reads_of`.

    Returns
    -------
    losses : list of WeightedLoss
    beside : list of Module
        The projection of the states, where they are compared.
    """
    if arm.answers == "none":
        return [weighted_cross_entropy()], []
    losses = standard_losses(TEMPERATURE, ALPHA)
    if arm.maps != "none":
        layers = CROSSED if arm.maps == "crossed" else SAME
        return [*losses, weighted_maps(arm.weight, layers)], []
    if arm.states:
        width = reads.tensors[STATES].shape[-1]
        bridge = projection(SHAPE["hidden_size"], width, arm.seed)
        return [*losses, weighted_states(bridge, arm.weight)], [bridge]
    return losses, []


def train_and_judge(task: tuple[Arm, str]) -> Marks:
    """Train one student and let it answer the exam.

    Parameters
    ----------
    task : (Arm, str)
        With the path of the ground.

    Returns
    -------
    Marks
    """
    arm, path = task
    with one_thread(), quietly():
        ground = load_ground(path)
        student, seconds = train(arm, ground)
        if arm.keep:
            student.save_pretrained(arm.keep)
        return mark(student, ground.exam, arm, seconds)


def mark(student, exam: Cards, arm: Arm, seconds: float = 0.0) -> Marks:
    """Judge a student with both senses, and with those of the arm's views alone."""
    whole = answer_cards(student, exam)
    answers = {"both": whole}
    for view in arm.views:
        other = "typed" if view == "picture" else "picture"
        answers[view] = answer_cards(student, exam.without(other))
    right = exam.labels
    return Marks(
        arm.name,
        arm.seed,
        arm.steps,
        {k: float((v.logits.argmax(1) == right).mean()) for k, v in answers.items()},
        looks_at_asked(whole.maps[:, 0], exam),
        seconds,
    )


def looks_at_asked(maps: np.ndarray, cards: Cards) -> float:
    """Return the share of the answer token's look that is on what is asked for.

    Parameters
    ----------
    maps : ndarray, shape (cards, words, 7)
        Of one block, a mean over its heads; the answer token first.
    cards : Cards

    Returns
    -------
    float
        A mean over the cards.
    """
    on_cells = maps[:, 0, : cards.asked.shape[1]]
    return float((on_cells * cards.asked).sum(-1).mean())
