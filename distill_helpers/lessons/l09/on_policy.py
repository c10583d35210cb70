"""Exercise of lesson 09: the loss of one on-policy step."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..exercises.answers import call, same, scalar, settle
from ..exercises.outcomes import Incorrect
from ..zoo import mistakes

WORDS, NEW = 7, 4
PROMPT = ((1, 4, 2), (3, 3, 6))


class Reader(nn.Module):
    """Foresees the next word from the last two."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.last = nn.Embedding(WORDS, WORDS)
            self.before = nn.Embedding(WORDS, WORDS)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        before = F.pad(ids, (1, 0))[:, :-1]
        return 2 * (self.last(ids) + self.before(before))


class Sampler:
    """Lets a model write; remembers who wrote, and whether gradients were kept."""

    def __init__(self) -> None:
        self.writers: list[nn.Module] = []
        self.with_gradient = False

    def __call__(self, model: nn.Module, prompt: torch.Tensor) -> torch.Tensor:
        self.writers.append(model)
        self.with_gradient |= torch.is_grad_enabled()
        generator = torch.Generator().manual_seed(5)
        ids = prompt
        for _ in range(NEW):
            chances = model(ids)[:, -1].detach().softmax(-1)
            drawn = torch.multinomial(chances, 1, generator=generator)
            ids = torch.cat([ids, drawn], 1)
        return ids


def my_on_policy_loss(student, teacher, prompt, sample):
    with torch.no_grad():
        ids = sample(student, prompt)
        wanted = teacher(ids).log_softmax(-1)
    own = student(ids).log_softmax(-1)
    kl = (own.exp() * (own - wanted)).sum(-1)
    return kl[:, prompt.shape[1] - 1 : -1].mean()


def with_kl_div(student, teacher, prompt, sample):
    with torch.no_grad():
        ids = sample(student, prompt)
        wanted = F.log_softmax(teacher(ids), dim=-1)
    new = slice(prompt.shape[1] - 1, ids.shape[1] - 1)
    own = F.log_softmax(student(ids), dim=-1)[:, new]
    kl = F.kl_div(wanted[:, new], own, reduction="none", log_target=True)
    return kl.sum(-1).mean()


# -------------------------------------------------------------- what goes wrong
def _divergence(student, teacher, ids, places, forward=False, detach=True):
    own, wanted = (model(ids).log_softmax(-1) for model in (student, teacher))
    wanted = wanted.detach() if detach else wanted
    first, second = (wanted, own) if forward else (own, wanted)
    return (first.exp() * (first - second)).sum(-1)[:, places].mean()


def _written(student, prompt, sample):
    with torch.no_grad():
        return sample(student, prompt), slice(prompt.shape[1] - 1, -1)


def through_the_sampling(student, teacher, prompt, sample):
    ids = sample(student, prompt)
    return _divergence(student, teacher, ids, slice(prompt.shape[1] - 1, -1))


def own_words(student, teacher, prompt, sample):
    ids, places = _written(student, prompt, sample)
    logits, words = student(ids)[:, places], ids[:, prompt.shape[1] :]
    return F.cross_entropy(logits.flatten(0, 1), words.flatten())


def teacher_writes(student, teacher, prompt, sample):
    ids, places = _written(teacher, prompt, sample)
    return _divergence(student, teacher, ids, places)


def forward_kl(student, teacher, prompt, sample):
    ids, places = _written(student, prompt, sample)
    return _divergence(student, teacher, ids, places, forward=True)


def prompt_too(student, teacher, prompt, sample):
    ids, _ = _written(student, prompt, sample)
    return _divergence(student, teacher, ids, slice(0, -1))


def unshifted(student, teacher, prompt, sample):
    ids, _ = _written(student, prompt, sample)
    return _divergence(student, teacher, ids, slice(prompt.shape[1], None))


def teacher_learns(student, teacher, prompt, sample):
    ids, places = _written(student, prompt, sample)
    return _divergence(student, teacher, ids, places, detach=False)


THROUGH = (
    "The text is written with the gradient on: words that were drawn have none, and"
    " what was computed for each of them fills the memory."
)
OWN_WORDS = (
    "This is the cross-entropy of the student's own words: it learns its own mistakes,"
    " and the teacher is never asked."
)
NOT_THE_STUDENT = "The student does not write the text itself; that is off-policy."
FORWARD = "This is KL(teacher || student); asked is the reverse one."
KNOWN = {
    OWN_WORDS: (own_words, "the teacher's logits on the same text"),
    FORWARD: (forward_kl, "whose probabilities weigh the difference"),
    mistakes.PROMPT_COUNTED.what: (
        prompt_too,
        "the places that foresee new words: from the prompt's last word on",
    ),
    mistakes.UNSHIFTED.what: (
        unshifted,
        "the logits at the prompt's last word foresee the first new one",
    ),
}


def examine_on_policy(answer) -> str:
    """Examine ``f(student, teacher, prompt, sample)``."""
    student, teacher, sampler = Reader(1), Reader(2), Sampler()
    given = {"prompt": torch.tensor(PROMPT), "sample": sampler}
    loss = scalar(call(answer, student=student, teacher=teacher, **given))
    if set(sampler.writers) != {student}:
        raise Incorrect(NOT_THE_STUDENT, look="who is given to sample: the student")
    settle(
        loss,
        _value(my_on_policy_loss),
        {what: (_value(wrong), look) for what, (wrong, look) in KNOWN.items()},
        (
            "The value is not the mean of KL(student || teacher) over the new words.",
            "one new word, by hand",
        ),
        shown=lambda value: f"{value.item():.4f}",
    )
    if sampler.with_gradient:
        raise Incorrect(THROUGH, look="with torch.no_grad(): around sample(...)")
    _check_gradients(loss, student, teacher)
    return "The student wrote, the teacher judged, and only the student learns."


def _value(function) -> torch.Tensor:
    models = Reader(1), Reader(2)
    return function(*models, torch.tensor(PROMPT), Sampler()).detach()


def _check_gradients(loss, student, teacher) -> None:
    if loss.requires_grad:
        loss.backward()
    if any(w.grad is not None and w.grad.any() for w in teacher.parameters()):
        raise mistakes.describe([mistakes.INTO_TEACHER])
    right = Reader(1)
    my_on_policy_loss(right, Reader(2), torch.tensor(PROMPT), Sampler()).backward()
    for weights, expected in zip(student.parameters(), right.parameters()):
        grad = torch.zeros_like(weights) if weights.grad is None else weights.grad
        if not same(grad, expected.grad, 1e-3):
            raise mistakes.describe([mistakes.NO_GRADIENT])
