"""The exercises of lesson 01: why soft targets teach."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..exercises.answers import call, same, settle
from ..exercises.engine import Exercise, Prediction, Question
from ..exercises.outcomes import Incorrect
from . import gains, raising
from .tensors import row_of, tensor_like


# ------------------------------------------------------------------ soften
def my_soften(logits, temperature):
    return F.softmax(logits / temperature, dim=-1)


def _by_hand(logits, temperature):
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    weights = torch.exp(shifted / temperature)
    return weights / weights.sum(dim=-1, keepdim=True)


def _by_powers(logits, temperature):
    powers = logits.softmax(-1) ** (1 / temperature)
    return powers / powers.sum(-1, keepdim=True)


def _not_softened(logits, temperature):
    return F.softmax(logits, dim=-1)


def _sharpened(logits, temperature):
    return F.softmax(logits * temperature, dim=-1)


def _softened_after(logits, temperature):
    return F.softmax(logits, dim=-1) / temperature


def _over_images(logits, temperature):
    return F.softmax(logits / temperature, dim=0)


def _log_softened(logits, temperature):
    return F.log_softmax(logits / temperature, dim=-1)


def _examine_soften(answer) -> str:
    logits = torch.tensor([[4.0, 2.0, -1.0], [0.0, 3.0, 1.0]])
    right = my_soften(logits, 3.0)
    got = tensor_like(call(answer, logits=logits, temperature=3.0), right)
    known = {
        "The temperature is not used.": (_not_softened, "logits / temperature"),
        "Multiplying by T sharpens; it should soften.": (
            _sharpened,
            "logits / temperature, not times",
        ),
        "The temperature must divide the logits, not the probabilities: these"
        " no longer sum to one.": (_softened_after, "divide before the softmax"),
        "The softmax runs over the images instead of the classes.": (
            _over_images,
            "dim: the classes are the last dimension, dim=-1",
        ),
        "These are logarithms of probabilities.": (_log_softened, "F.softmax"),
    }
    values = {k: (wrong(logits, 3.0), look) for k, (wrong, look) in known.items()}
    otherwise = ("These are not the softened probabilities.", "one row, by hand")
    settle(got, right, values, otherwise, shown=row_of)
    single = tensor_like(call(answer, logits=logits[0], temperature=3.0), right[0])
    one_row = ("Right for a batch, wrong for a single row.", "dim=-1 serves both")
    settle(single, right[0], {}, one_row, shown=row_of)
    for temperature in (0.5, 2.5):
        got = tensor_like(call(answer, logits=logits, temperature=temperature), right)
        other = (f"Right at T = 3, wrong at T = {temperature}.", "rounding, min, max")
        settle(got, my_soften(logits, temperature), {}, other, shown=row_of)
    return "The order of the classes never changes; only the confidence does."


# ----------------------------------------------------------- second choice
def my_second_choice(logits):
    return logits.topk(2, dim=-1).indices[:, 1]


def _by_sorting(logits):
    return logits.argsort(dim=-1, descending=True)[:, 1]


def _by_masking(logits):
    first = logits.argmax(-1, keepdim=True)
    return logits.scatter(-1, first, float("-inf")).argmax(-1)


def _first_choice(logits):
    return logits.argmax(-1)


def _second_smallest(logits):
    return logits.kthvalue(2, dim=-1).indices


def _both_choices(logits):
    return logits.topk(2, dim=-1).indices


def _values_not_places(logits):
    return logits.topk(2, dim=-1).values[:, 1]


def _examine_second(answer) -> str:
    logits = torch.tensor(
        [
            [0.1, 5.0, 2.0, -3.0, 1.0],
            [-7.0, -1.0, -2.0, -6.5, -3.0],
            [1.0, 2.0, 3.0, 4.0, 0.0],
        ]
    )
    right = my_second_choice(logits)
    got = tensor_like(call(answer, logits=logits), right)
    known = {
        "That is the first choice.": (_first_choice, "topk(2) and its second column"),
        "That is the second smallest logit, not the second largest.": (
            _second_smallest,
            "the order: descending",
        ),
        "These are the logits; the numbers of the classes are wanted.": (
            _values_not_places,
            ".indices beside .values",
        ),
    }
    if got.is_floating_point() and same(got, right.float()):
        raise Incorrect(
            "These numbers of classes are floating point; an index is whole.",
            str(got.dtype),
            "int64",
            "what turns them into floats: .indices are whole already",
        )
    values = {k: (wrong(logits), look) for k, (wrong, look) in known.items()}
    otherwise = ("Not the second choices.", "the rows, by eye; logits may be negative")
    settle(got, right, values, otherwise, shown=lambda v: str(v.tolist()))
    return "It is this second choice that a hard label throws away."


# ------------------------------------------------------------- two classes
def my_two_class(logits, temperature):
    margin = logits[:, 1] - logits[:, 0]
    return torch.sigmoid(margin / temperature)


def _by_softmax(logits, temperature):
    return F.softmax(logits / temperature, dim=-1)[:, 1]


def _class_zero(logits, temperature):
    return F.softmax(logits / temperature, dim=-1)[:, 0]


def _one_logit(logits, temperature):
    return torch.sigmoid(logits[:, 1] / temperature)


def _margin_not_softened(logits, temperature):
    return torch.sigmoid(logits[:, 1] - logits[:, 0])


def _overflowing(logits, temperature):
    odds = torch.exp((logits[:, 1] - logits[:, 0]) / temperature)
    return odds / (1 + odds)


def _examine_two_class(answer) -> str:
    logits = torch.tensor([[1.0, 4.0], [2.0, -1.0], [0.5, 1.0]])
    right = my_two_class(logits, 2.0)
    got = tensor_like(call(answer, logits=logits, temperature=2.0), right)
    known = {
        "That is the probability of class 0.": (_class_zero, "the sign of the margin"),
        "The logit of class 0 is missing: only the difference counts.": (
            _one_logit,
            "the margin: logits[:, 1] - logits[:, 0]",
        ),
        "The temperature is not used.": (_margin_not_softened, "margin / temperature"),
    }
    values = {k: (wrong(logits, 2.0), look) for k, (wrong, look) in known.items()}
    formula = "the sigmoid: 1 / (1 + exp(-margin / temperature))"
    otherwise = ("Not the probability of class 1.", formula)
    settle(got, right, values, otherwise, shown=row_of)
    sure = torch.tensor([[-200.0, 200.0], [200.0, -200.0]])
    got = tensor_like(call(answer, logits=sure, temperature=1.0), torch.zeros(2))
    overflow = (
        "A confident teacher breaks it.",
        "exp of a large number: torch.sigmoid",
    )
    settle(got, torch.tensor([1.0, 0.0]), {}, overflow, shown=row_of)
    return "One number an example: that is all a two-class teacher can say."


ENTRIES = (
    Exercise(
        key="01.soften",
        prompt="**Exercise.** Write `my_soften(logits, temperature)`, which"
        " returns the probabilities of the softmax at that temperature. It gets a"
        " batch of logits, one row for each image, or a single row.",
        hints=(
            "The temperature divides something before the softmax sees it.",
            "F.softmax(..., dim=-1) makes each row sum to one.",
        ),
        solution=my_soften,
        why="At T = 1 nothing changes; the larger T, the flatter the row.",
        examine=_examine_soften,
        right=(_by_hand, _by_powers),
        wrong=(
            (_not_softened, "not used"),
            (_sharpened, "sharpens"),
            (_softened_after, "no longer sum to one"),
            (_over_images, "over the images"),
            (_log_softened, "logarithms"),
            (lambda logits, temperature: [0.5], "must be a tensor"),
            (lambda logits, temperature: logits.sum(), "wrong shape"),
            (lambda logits, temperature: logits, "not the softened"),
            (
                lambda logits, temperature: my_soften(logits, int(temperature) or 1),
                "wrong at T = 0.5",
            ),
        ),
    ),
    Exercise(
        key="01.second_choice",
        prompt="**Exercise.** Write `my_second_choice(logits)`: for each row, the"
        " index of the class with the second largest logit.",
        hints=(
            "topk(2) gives the two largest of each row, values and indices.",
            "The second column of the indices: [:, 1].",
        ),
        solution=my_second_choice,
        why="The first choice is what a label could have said as well. The"
        " second is new.",
        examine=_examine_second,
        right=(_by_sorting, _by_masking),
        wrong=(
            (_first_choice, "first choice"),
            (_second_smallest, "second smallest"),
            (_values_not_places, "These are the logits"),
            (_both_choices, "wrong shape"),
            (lambda logits: logits.argmin(-1), "Not the second"),
            (lambda logits: my_second_choice(logits).float(), "floating point"),
        ),
    ),
    Prediction(
        key="01.predict_threes",
        prompt="**Predict.** Take the students that learnt at your temperature, add 2"
        " to their logit of class 3 for every test image, and train nothing. What"
        " share of the test 3s will they get right, in percent?",
        unit="%",
        allowed=(0.0, 100.0),
        close=5.0,
        why="The students knew what a 3 looks like. Only the level of that one logit"
        " was too low, since no target had ever asked for it to be the largest.",
        example=90,
        hints=(
            "In the paper, adding a number to this logit took the share from about"
            " 87% to 98.6%.",
            "Which 3s were lost? Those where another digit's logit was just a little"
            " larger, or those that look nothing like a 3 to the student?",
        ),
    ),
    raising.ENTRY,
    gains.ENTRY,
    Exercise(
        key="01.two_class",
        prompt="**Exercise.** With two classes the softmax is a sigmoid of one"
        " number. Write `my_two_class(logits, temperature)` for logits of shape"
        " (batch, 2): the probability of class 1, from the margin alone.",
        hints=(
            "The margin is the logit of class 1 minus that of class 0.",
            "torch.sigmoid(margin / temperature).",
        ),
        solution=my_two_class,
        why="Add 5 to both logits and nothing changes: only the margin counts,"
        " and the temperature only rescales it.",
        examine=_examine_two_class,
        right=(_by_softmax,),
        wrong=(
            (_class_zero, "class 0"),
            (_one_logit, "only the difference"),
            (_margin_not_softened, "not used"),
            (lambda logits, temperature: logits.softmax(-1), "wrong shape"),
            (lambda logits, temperature: logits[:, 1], "Not the probability"),
            (_overflowing, "confident teacher"),
        ),
    ),
    Question(
        key="01.q_dark",
        prompt="**Question 1.** Why can a student learn more from a soft target"
        " than from a label?",
        options={
            "a": "it is softer, and so it keeps the student from becoming too sure",
            "b": "it also says which wrong answers are nearly right",
            "c": "it corrects labels that are wrong",
        },
        answer="b",
        because={
            "a": "Section 6 tried just that: targets as soft as the teacher's, but with"
            " their order lost. They did not help.",
            "b": "One image then says something about several classes, even about"
            " one that the student has never seen.",
            "c": "It may, where labels are wrong. Here they are right, and the soft"
            " targets helped all the same.",
        },
    ),
    Question(
        key="01.q_two_classes",
        prompt="**Question 2.** What is left of dark knowledge when there are only"
        " two classes?",
        options={
            "a": "nothing, so distillation cannot help",
            "b": "the same as with ten classes",
            "c": "how sure the teacher is of each example, and an answer where"
            " nobody has labelled",
        },
        answer="c",
        because={
            "a": "The margin still differs from example to example, and unlabelled"
            " text still gets an answer.",
            "b": "There is just one wrong class, so there is no order among wrong"
            " classes to learn.",
            "c": "One margin an example. Lesson 03 measures both: there the answers to"
            " unlabelled text bring the gain, and the teacher's bare choice does"
            " nearly as well as its soft answer.",
        },
    ),
    Question(
        key="01.q_deepseek",
        prompt='**Question 3.** How were the models named "DeepSeek-R1-Distill"'
        " trained?",
        options={
            "a": "they imitated the large model's logits, word by word",
            "b": "by ordinary fine-tuning on texts that were made with the large model",
            "c": "by reinforcement learning, with the large model as the judge",
        },
        answer="b",
        because={
            "a": "No logits changed hands: the students even have other vocabularies.",
            "b": "Supervised fine-tuning on about 800,000 samples. It is"
            " distillation through text, without temperature or KL.",
            "c": "The large model was trained with reinforcement learning; these"
            " were not, says the paper.",
        },
    ),
)
