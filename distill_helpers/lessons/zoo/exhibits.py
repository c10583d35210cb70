"""The inhabitants of the bug zoo: losses with one historical mistake each.

None of this code is anybody's; each function rebuilds one mistake in the
shortest way. `mistakes` names the mistake and the public cases.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ...losses.soft_targets import kd_loss
from ..exercises.engine import Exercise, examine
from . import (
    accumulation,
    combined,
    hidden,
    labels,
    mistakes,
    soft_targets,
    tokens,
)


# ------------------------------------------------------------ soft targets
def probabilities_for_log_probabilities(student_logits, teacher_logits, temperature):
    student = F.softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def mean_for_batchmean(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    # What reduction="mean" does today; PyTorch warns that it will change.
    return F.kl_div(student, teacher, reduction="none").mean() * temperature**2


def sum_for_batchmean(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="sum") * temperature**2


def no_temperature_squared(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean")


def temperature_on_the_student_only(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach(), dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def temperature_on_the_teacher_only(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def teacher_on_both_sides(student_logits, teacher_logits, temperature):
    student = F.log_softmax(teacher_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def student_on_both_sides(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(student_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def gradient_into_the_teacher(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def softmax_over_the_batch(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=0)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=0)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


def sides_swapped(student_logits, teacher_logits, temperature):
    student = F.softmax(student_logits / temperature, dim=-1)
    teacher = F.log_softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(teacher, student, reduction="batchmean") * temperature**2


def teacher_entropy_left_in(student_logits, teacher_logits, temperature):
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.cross_entropy(student_logits / temperature, teacher) * temperature**2


def log_of_a_softmax(student_logits, teacher_logits, temperature):
    student = torch.log(F.softmax(student_logits / temperature, dim=-1))
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean") * temperature**2


SOFT_TARGETS = (
    (probabilities_for_log_probabilities, mistakes.PROBABILITIES),
    (mean_for_batchmean, mistakes.MEAN),
    (sum_for_batchmean, mistakes.SUM),
    (no_temperature_squared, mistakes.NO_SQUARE),
    (temperature_on_the_student_only, mistakes.STUDENT_ONLY),
    (temperature_on_the_teacher_only, mistakes.TEACHER_ONLY),
    (teacher_on_both_sides, mistakes.TEACHER_TWICE),
    (student_on_both_sides, mistakes.STUDENT_TWICE),
    (gradient_into_the_teacher, mistakes.INTO_TEACHER),
    (softmax_over_the_batch, mistakes.OVER_BATCH),
    (sides_swapped, mistakes.SWAPPED),
    (teacher_entropy_left_in, mistakes.ENTROPY_LEFT),
    (log_of_a_softmax, mistakes.UNDERFLOW),
)
"""Losses of (student_logits, teacher_logits, temperature), and their mistake."""


# ------------------------------------------------------------------ labels
def every_example_counted(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum") / len(labels)


def missing_label_as_class_zero(logits, labels):
    return F.cross_entropy(logits, labels.clamp(min=0))


def softmax_before_cross_entropy(logits, labels):
    return F.cross_entropy(F.softmax(logits, dim=-1), labels)


def sum_of_the_labelled(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum")


LABELS = (
    (every_example_counted, mistakes.ALL_COUNTED),
    (missing_label_as_class_zero, mistakes.LABEL_ZERO),
    (softmax_before_cross_entropy, mistakes.PROBABILITY_LABELS),
    (sum_of_the_labelled, mistakes.LABEL_SUM),
)
"""Losses of (logits, labels), and their mistake."""


# ----------------------------------------------------------- both together
def alpha_swapped(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature)
    return (1 - alpha) * soft + alpha * F.cross_entropy(student_logits, labels)


def labels_unweighted(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature)
    return alpha * soft + F.cross_entropy(student_logits, labels)


def soft_targets_unweighted(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature)
    return soft + (1 - alpha) * F.cross_entropy(student_logits, labels)


def labels_for_the_teacher(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature)
    return alpha * soft + (1 - alpha) * F.cross_entropy(teacher_logits, labels)


def labels_softened(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature)
    hard = F.cross_entropy(student_logits / temperature, labels)
    return alpha * soft + (1 - alpha) * hard


def square_on_both_terms(student_logits, teacher_logits, labels, temperature, alpha):
    soft = kd_loss(student_logits, teacher_logits, temperature) / temperature**2
    hard = F.cross_entropy(student_logits, labels)
    return (alpha * soft + (1 - alpha) * hard) * temperature**2


BOTH = (
    (alpha_swapped, mistakes.ALPHA_SWAPPED),
    (labels_unweighted, mistakes.CE_UNWEIGHTED),
    (soft_targets_unweighted, mistakes.KD_UNWEIGHTED),
    (labels_for_the_teacher, mistakes.TEACHER_LABELS),
    (labels_softened, mistakes.SOFTENED_LABELS),
    (square_on_both_terms, mistakes.SQUARED_LABELS),
)
"""Losses of (student_logits, teacher_logits, labels, temperature, alpha)."""


# ----------------------------------------------------------- hidden states
def padding_counted(student_hidden, teacher_hidden, mask, projection):
    return F.mse_loss(projection(student_hidden), teacher_hidden.detach())


def padding_in_the_divisor(student_hidden, teacher_hidden, mask, projection):
    error = projection(student_hidden) - teacher_hidden.detach()
    return (error.pow(2) * mask[..., None]).mean()


def text_by_text(student_hidden, teacher_hidden, mask, projection):
    error = projection(student_hidden) - teacher_hidden.detach()
    real = (error.pow(2).mean(-1) * mask).sum(1)
    return (real / mask.sum(1)).mean()


def hidden_into_the_teacher(student_hidden, teacher_hidden, mask, projection):
    error = projection(student_hidden) - teacher_hidden
    return error[mask.bool()].pow(2).mean()


HIDDEN = (
    (padding_counted, mistakes.PADDING_COUNTED),
    (padding_in_the_divisor, mistakes.PADDING_DIVIDES),
    (text_by_text, mistakes.TEXT_BY_TEXT),
    (hidden_into_the_teacher, mistakes.INTO_TEACHER),
)
"""Losses of (student_hidden, teacher_hidden, mask, projection)."""


# ------------------------------------------------------------ accumulation
def undivided(model, loss_function, parts):
    for inputs, targets in parts:
        loss_function(model(inputs), targets).backward()


def only_the_last_part(model, loss_function, parts):
    for inputs, targets in parts:
        model.zero_grad()
        (loss_function(model(inputs), targets) / len(parts)).backward()


ACCUMULATION = (
    (undivided, mistakes.UNDIVIDED),
    (only_the_last_part, mistakes.LAST_PART),
)
"""Functions of (model, loss_function, parts)."""


# ------------------------------------------------------------------ tokens
def prompt_learned(logits, input_ids, attention_mask, prompt_lengths):
    labels = torch.where(attention_mask == 1, input_ids, -100)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def unshifted(logits, input_ids, attention_mask, prompt_lengths):
    labels = _completion_labels(input_ids, attention_mask, prompt_lengths)
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def end_token_masked(logits, input_ids, attention_mask, prompt_lengths):
    labels = _completion_labels(input_ids, attention_mask, prompt_lengths)
    labels[labels == tokens.END] = -100  # the padding token, which is the end token
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def padding_learned(logits, input_ids, attention_mask, prompt_lengths):
    labels = _completion_labels(
        input_ids, torch.ones_like(attention_mask), prompt_lengths
    )
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def _completion_labels(input_ids, attention_mask, prompt_lengths):
    place = torch.arange(input_ids.shape[1])
    completion = (attention_mask == 1) & (place >= prompt_lengths[:, None])
    return torch.where(completion, input_ids, -100)


COMPLETIONS = (
    (prompt_learned, mistakes.PROMPT_COUNTED),
    (unshifted, mistakes.UNSHIFTED),
    (end_token_masked, mistakes.END_MASKED),
    (padding_learned, mistakes.PADDING_TOKENS),
)
"""Losses of (logits, input_ids, attention_mask, prompt_lengths)."""


def token_sides_swapped(student_logits, teacher_logits, labels):
    return _token_kl(teacher_logits.detach(), student_logits)[labels != -100].mean()


def every_place_counted(student_logits, teacher_logits, labels):
    return _token_kl(student_logits, teacher_logits.detach()).mean()


def mean_over_the_padded_length(student_logits, teacher_logits, labels):
    kl = _token_kl(student_logits, teacher_logits.detach())
    return (kl * (labels != -100)).mean()


def mean_of_the_texts_means(student_logits, teacher_logits, labels):
    kl, counts = _token_kl(student_logits, teacher_logits.detach()), labels != -100
    return ((kl * counts).sum(1) / counts.sum(1)).mean()


def sum_over_the_tokens(student_logits, teacher_logits, labels):
    return _token_kl(student_logits, teacher_logits.detach())[labels != -100].sum()


def tokens_into_the_teacher(student_logits, teacher_logits, labels):
    return _token_kl(student_logits, teacher_logits)[labels != -100].mean()


def _token_kl(student_logits, teacher_logits):
    student, teacher = (F.log_softmax(z, -1) for z in (student_logits, teacher_logits))
    return F.kl_div(student, teacher, reduction="none", log_target=True).sum(-1)


TOKENS = (
    (token_sides_swapped, mistakes.SWAPPED),
    (every_place_counted, mistakes.PLACES_COUNTED),
    (mean_over_the_padded_length, mistakes.LENGTH_DIVIDES),
    (mean_of_the_texts_means, mistakes.TEXT_BY_TEXT),
    (sum_over_the_tokens, mistakes.TOKEN_SUM),
    (tokens_into_the_teacher, mistakes.INTO_TEACHER),
)
"""Losses of (student_logits, teacher_logits, labels)."""

CAGES = (
    (SOFT_TARGETS, soft_targets.examine_kd),
    (LABELS, labels.examine_cross_entropy),
    (BOTH, combined.examine_distillation),
    (HIDDEN, hidden.examine_hidden),
    (ACCUMULATION, accumulation.examine_accumulation),
)
"""Every group of exhibits about a classifier, and the examiner that they meet."""

TOKEN_CAGES = (
    (COMPLETIONS, tokens.examine_completion_loss),
    (TOKENS, tokens.examine_token_kl),
)
"""Those about a model that writes."""


def tour(cages=CAGES):
    """Send every exhibit through the checker and tell what it answers.

    Parameters
    ----------
    cages : sequence, default :data:`CAGES`
        Or :data:`TOKEN_CAGES`, or ``beyond_logits.CAGES``.

    Returns
    -------
    pandas.DataFrame
        One row an exhibit: the checker's verdict, its first sentence, and
        where the mistake was seen in public.
    """
    import pandas as pd

    rows = []
    for exhibits, examiner in cages:
        for loss, mistake in exhibits:
            entry = Exercise(loss.__name__, "", (), loss, "", examiner)
            outcome = examine(entry, loss)
            rows.append(
                {
                    "exhibit": loss.__name__.replace("_", " "),
                    "verdict": outcome.status,
                    "what the checker says": outcome.message.split("\n")[0],
                    "seen in": mistake.source or "no public case known to us",
                }
            )
    return pd.DataFrame(rows).set_index("exhibit")
