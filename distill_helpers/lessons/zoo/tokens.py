"""Which mistake a loss on the tokens of a text makes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch.nn import functional as F

from ...losses.sequence import generalized_jsd_loss, token_cross_entropy
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .probes import name_mistakes, some_logits

Candidates = Iterator[tuple[tuple[known.Mistake, ...], torch.Tensor]]

END = 0
"""The end token of the probes; it pads as well, as many tokenisers have it."""


# ------------------------------------------------- the labels of a completion
def examine_completion_loss(answer) -> str:
    """Examine ``f(logits, input_ids, attention_mask, prompt_lengths)``.

    The cross-entropy of the tokens after the prompt, the end token among them, by
    the logits one place before each.
    """
    probes = [_completion_probe(seed) for seed in (1, 2)]
    values = [scalar(call(answer, **_lent(probe))) for probe in probes]
    lists = [list(_completion_candidates(**probe)) for probe in probes]
    _judge(values, lists, "The value is not the cross-entropy of the completions.")
    _check_gradient(answer, probes[0], lambda **given: _completion(**given, shift=1))
    return "Only the completion is learned, and where it ends."


def _completion_probe(seed: int) -> dict[str, torch.Tensor]:
    """Two texts, the second one shorter, and each with its end token."""
    lengths, prompts, tokens = (7, 5), (3, 2), 6
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, tokens, (2, max(lengths)), generator=generator)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, length - 1 :] = END
        mask[row, :length] = 1
    logits = some_logits(ids.numel(), tokens, seed + 10).view(*ids.shape, tokens)
    return {
        "logits": logits,
        "input_ids": ids,
        "attention_mask": mask,
        "prompt_lengths": torch.tensor(prompts),
    }


def _completion(
    logits,
    input_ids,
    attention_mask,
    prompt_lengths,
    *,
    shift=1,
    prompt=False,
    end=True,
    padding=False,
) -> torch.Tensor:
    """Return the loss of a choice of tokens, `shift` places before each."""
    place = torch.arange(input_ids.shape[1])
    chosen = (attention_mask == 1) | padding
    if not prompt:
        chosen = chosen & (place >= prompt_lengths[:, None])
    if not end:
        chosen = chosen & (input_ids != END)
    labels = torch.where(chosen, input_ids, -100)
    return token_cross_entropy(
        logits[:, : logits.shape[1] - shift], labels[:, shift:].contiguous()
    )


def _completion_candidates(**probe) -> Candidates:
    choices = {
        "shift": {1: (), 0: (known.UNSHIFTED,)},
        "prompt": {False: (), True: (known.PROMPT_COUNTED,)},
        "end": {True: (), False: (known.END_MASKED,)},
        "padding": {False: (), True: (known.PADDING_TOKENS,)},
    }
    for values in product(*choices.values()):
        options = dict(zip(choices, values))
        if options["padding"] and not options["end"]:
            continue  # the end token pads: what is left out is not counted either
        made = sum((choices[name][value] for name, value in options.items()), ())
        yield made, _completion(**probe, **options)


# ------------------------------------------------ soft targets, token by token
def examine_token_kl(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, labels)``.

    KL(teacher || student), a mean over the places whose label is not -100; each
    label stands beside the logits that foresaw it.
    """
    probes = [_token_probe(seed) for seed in (1, 2)]
    values = [scalar(call(answer, **_lent(probe))) for probe in probes]
    lists = [list(_token_candidates(**probe)) for probe in probes]
    _judge(
        values, lists, "The value is not the mean of KL(teacher || student) per token."
    )
    _check_token_teacher(answer, probes[0])
    _check_gradient(
        answer, probes[0], lambda **given: generalized_jsd_loss(**given, beta=0.0)
    )
    return "Each token that counts, counts once; nothing else does."


def _token_probe(seed: int) -> dict[str, torch.Tensor]:
    labels = torch.tensor([[-100, -100, 3, 1, 0], [-100, 2, 0, -100, -100]])
    student, teacher = (
        some_logits(labels.numel(), 4, seed + place).view(*labels.shape, 4)
        for place in (20, 30)
    )
    return {"student_logits": student, "teacher_logits": teacher, "labels": labels}


def _token_candidates(student_logits, teacher_logits, labels) -> Candidates:
    counts = labels != -100
    for turned in (False, True):
        both = F.log_softmax(student_logits, -1), F.log_softmax(teacher_logits, -1)
        student, teacher = reversed(both) if turned else both
        kl = F.kl_div(student, teacher, reduction="none", log_target=True).sum(-1)
        made = (known.SWAPPED,) if turned else ()
        right, tokens = kl * counts, counts.sum()
        yield made, right.sum() / tokens
        yield (*made, known.PLACES_COUNTED), kl.mean()
        yield (*made, known.LENGTH_DIVIDES), right.mean()
        yield (*made, known.LENGTH_DIVIDES), right.sum() / len(labels)
        yield (*made, known.TEXT_BY_TEXT), (right.sum(1) / counts.sum(1)).mean()
        yield (*made, known.TOKEN_SUM), right.sum()
        yield (*made, known.PLACES_COUNTED, known.TOKEN_SUM), kl.sum()
        yield (*made, known.PLACES_COUNTED, known.TOKEN_SUM), kl.sum() / len(labels)
        yield (*made, known.MEAN), right.sum() / tokens / student_logits.shape[-1]


def _check_token_teacher(answer, probe: dict) -> None:
    given = _lent(probe)
    weights = probe["teacher_logits"].clone().requires_grad_()
    given["teacher_logits"] = weights * 1.0  # as a network gives them
    given["student_logits"].requires_grad_()
    value = scalar(call(answer, **given))
    if value.requires_grad:
        value.backward()
    if weights.grad is not None and weights.grad.abs().max() > 0:
        raise known.describe([known.INTO_TEACHER], "a gradient in teacher_logits")


# ------------------------------------------------------------------- for both
def _lent(probe: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in probe.items()}


def _judge(values, lists, what: str) -> None:
    mistakes = name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given, right)
    if mistakes is None:
        raise Incorrect(
            what,
            given,
            right,
            "one text of two tokens, by hand; which places count, and the divisor",
        )


def _check_gradient(answer, probe: dict, package) -> None:
    """The right value with no gradient, or a wrong one, teaches nothing."""
    name = next(iter(probe))  # whose logits learn
    slopes = []
    for make in (lambda **given: scalar(call(answer, **given)), package):
        given = _lent(probe)
        given[name].requires_grad_()
        value = make(**given)
        if value.requires_grad:
            value.backward()
        slope = given[name].grad
        slopes.append(torch.zeros_like(probe[name]) if slope is None else slope)
    if not same(*slopes, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {slopes[0].norm().item():.4f}",
            f"one of norm {slopes[1].norm().item():.4f}",
        )
