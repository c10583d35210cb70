"""The exercises of lesson 02: the loss, built and broken by hand."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ...losses.combined import DistillationLoss
from ...losses.hidden import hidden_state_loss
from ...losses.labels import labelled_cross_entropy
from ...losses.soft_targets import kd_loss
from ..exercises.engine import Exercise, Prediction, Question
from ..zoo import exhibits, mistakes
from ..zoo.accumulation import examine_accumulation
from ..zoo.combined import examine_distillation
from ..zoo.hidden import examine_hidden
from ..zoo.labels import examine_cross_entropy
from ..zoo.mistakes import told
from ..zoo.soft_targets import examine_kd


# ----------------------------------------------------------- soft targets
def my_kd_loss(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    kl = F.kl_div(student, teacher, reduction="batchmean")
    return kl * temperature**2


def _with_log_target(student_logits, teacher_logits, temperature):
    student = F.log_softmax(student_logits / temperature, dim=1)
    teacher = F.log_softmax(teacher_logits.detach() / temperature, dim=1)
    loss = nn.KLDivLoss(reduction="batchmean", log_target=True)
    return loss(student, teacher) * temperature**2


def _with_log_sum_exp(student_logits, teacher_logits, temperature):
    s, t = student_logits / temperature, teacher_logits.detach() / temperature
    log_s = s - s.logsumexp(-1, keepdim=True)
    log_t = t - t.logsumexp(-1, keepdim=True)
    return temperature**2 * (log_t.exp() * (log_t - log_s)).sum(-1).mean()


def _cross_entropy_minus_entropy(student_logits, teacher_logits, temperature):
    with torch.no_grad():
        teacher = F.softmax(teacher_logits / temperature, dim=-1)
        entropy = torch.special.entr(teacher).sum(-1).mean()
    cross_entropy = F.cross_entropy(student_logits / temperature, teacher)
    return (cross_entropy - entropy) * temperature**2


def _elementwise_then_summed(z_s, z_t, T):
    teacher = (z_t.detach() / T).softmax(-1)
    parts = F.kl_div((z_s / T).log_softmax(-1), teacher, reduction="none")
    return T * T * parts.sum(dim=1).mean(dim=0)


def _sum_over_batch_size(teacher_logits, student_logits, temperature=1.0):
    log_s = F.log_softmax(student_logits.float() / temperature, dim=-1)
    log_t = F.log_softmax(teacher_logits.detach().float() / temperature, dim=-1)
    total = F.kl_div(log_s, log_t, reduction="sum", log_target=True)
    return total * temperature**2 / student_logits.size(0)


def _with_distributions(student_logits, teacher_logits, temperature):
    student = torch.distributions.Categorical(logits=student_logits / temperature)
    soft = teacher_logits.detach() / temperature
    teacher = torch.distributions.Categorical(logits=soft)
    divergence = torch.distributions.kl_divergence(teacher, student)
    return temperature**2 * divergence.mean()


# ----------------------------------------------------------------- labels
def my_cross_entropy(logits, labels):
    labelled = (labels != -100).sum().clamp(min=1)
    return F.cross_entropy(logits, labels, reduction="sum") / labelled


def _gathered(logits, labels):
    real = labels != -100
    if not real.any():
        return logits.sum() * 0.0
    log_probabilities = F.log_softmax(logits[real], dim=-1)
    return -log_probabilities.gather(1, labels[real][:, None]).mean()


def _without_nan(logits, labels):
    return torch.nan_to_num(F.cross_entropy(logits, labels), nan=0.0)


# ----------------------------------------------------------- both together
def my_distillation_loss(student_logits, teacher_logits, labels, temperature, alpha):
    soft = my_kd_loss(student_logits, teacher_logits, temperature)
    hard = my_cross_entropy(student_logits, labels)
    return alpha * soft + (1 - alpha) * hard


def _textbook(student_logits, teacher_logits, labels, temperature, alpha):
    soft = _with_log_target(student_logits, teacher_logits, temperature)
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)


def _in_another_order(alpha, temperature, labels, teacher_logits, student_logits):
    hard = my_cross_entropy(student_logits, labels)
    soft = _with_log_sum_exp(student_logits, teacher_logits, temperature)
    return hard + alpha * (soft - hard)


# ----------------------------------------------------------- hidden states
def my_hidden_state_loss(student_hidden, teacher_hidden, mask, projection):
    error = projection(student_hidden) - teacher_hidden.detach()
    return error[mask.bool()].pow(2).mean()


def _multiplied_by_the_mask(student_hidden, teacher_hidden, mask, projection):
    error = (projection(student_hidden) - teacher_hidden.detach()).pow(2)
    real = mask.sum() * teacher_hidden.shape[-1]
    return (error * mask[..., None]).sum() / real


def _selected_first(student_hidden, teacher_hidden, mask, projection):
    real = mask.bool()
    return F.mse_loss(projection(student_hidden[real]), teacher_hidden[real].detach())


# ------------------------------------------------------------ accumulation
def my_accumulate(model, loss_function, parts):
    for inputs, targets in parts:
        loss = loss_function(model(inputs), targets) / len(parts)
        loss.backward()


def _averaged_once(model, loss_function, parts):
    losses_of_parts = [loss_function(model(x), y) for x, y in parts]
    torch.stack(losses_of_parts).mean().backward()


def _weighted_by_size(model, loss_function, parts):
    model.zero_grad()
    everyone = sum(len(targets) for _, targets in parts)
    for inputs, targets in parts:
        share = len(targets) / everyone
        (loss_function(model(inputs), targets) * share).backward()


def _returns_a_float(student_logits, teacher_logits, temperature):
    return my_kd_loss(student_logits, teacher_logits, temperature).item()


def _keeps_every_element(student_logits, teacher_logits, temperature):
    teacher = F.softmax(teacher_logits.detach() / temperature, dim=-1)
    student = F.log_softmax(student_logits / temperature, dim=-1)
    return F.kl_div(student, teacher, reduction="none") * temperature**2


def _two_slips_at_once(student_logits, teacher_logits, temperature):
    return exhibits.mean_for_batchmean(student_logits, teacher_logits, 1.0)


def _deaf_student(student_logits, teacher_logits, temperature):
    return my_kd_loss(student_logits.detach(), teacher_logits, temperature)


def _changes_its_arguments(student_logits, teacher_logits, temperature):
    teacher_logits /= temperature
    return my_kd_loss(student_logits, teacher_logits, temperature)


def _for_four_classes(student_logits, teacher_logits, temperature):
    kd = my_kd_loss(student_logits, teacher_logits, temperature)
    return kd if student_logits.shape[1] in (3, 4, 6) else kd * 2


def _counted_unlabelled(student_logits, teacher_logits, labels, temperature, alpha):
    soft = my_kd_loss(student_logits, teacher_logits, temperature)
    hard = exhibits.every_example_counted(student_logits, labels)
    return alpha * soft + (1 - alpha) * hard


def _another_missing_label(student_logits, teacher_logits, labels, temperature, alpha):
    soft = my_kd_loss(student_logits, teacher_logits, temperature)
    hard = F.cross_entropy(student_logits, labels, ignore_index=-1)
    return alpha * soft + (1 - alpha) * hard


def _alpha_squared(student_logits, teacher_logits, labels, temperature, alpha):
    return my_distillation_loss(
        student_logits, teacher_logits, labels, temperature, alpha**2
    )


def _no_square_inside(student_logits, teacher_logits, labels, temperature, alpha):
    soft = exhibits.no_temperature_squared(student_logits, teacher_logits, temperature)
    return alpha * soft + (1 - alpha) * my_cross_entropy(student_logits, labels)


ENTRIES = (
    Prediction(
        key="02.predict_gradient",
        prompt="**Predict.** For logits of about unit size, the soft-target loss"
        " without the factor $T^2$ has a gradient of a certain size at $T = 1$. What"
        " is left of it at $T = 10$, in percent?",
        unit="%",
        allowed=(0.0, 1000.0),
        close=2.0,
        why="The gradient falls as 1/T^2. For logits of this size, multiplying by"
        " T^2 gives its size back.",
        example=10,
        hints=(
            "Dividing the logits by T makes the gradient 1/T times as large,"
            " by the chain rule.",
            "The two softened distributions also come nearer to each other."
            " About how much, when T doubles?",
        ),
    ),
    Exercise(
        key="02.kd_loss",
        prompt="**Exercise.** Write `my_kd_loss(student_logits, teacher_logits,"
        " temperature)`: soften both, take KL(teacher || student) in nats,"
        " average over the batch, multiply by $T^2$. Nothing may flow back into"
        " the teacher, and confident logits in half precision give no NaN.",
        hints=(
            "F.kl_div wants the student first, as log-probabilities, and the"
            " teacher second. Read what each reduction divides by.",
            "Four lines: the student's log_softmax, the teacher's softmax, the"
            " divergence, the factor. Both softmaxes get logits / temperature.",
            'F.kl_div(student, teacher, reduction="batchmean") * temperature**2,'
            " with teacher_logits.detach() before the softmax.",
        ),
        solution=my_kd_loss,
        why="Log-probabilities first, probabilities second; batchmean; T on"
        " both sides; T^2; detach. Each of the five is a mistake in the zoo.",
        examine=examine_kd,
        right=(
            _with_log_target,
            _with_log_sum_exp,
            _cross_entropy_minus_entropy,
            _elementwise_then_summed,
            _sum_over_batch_size,
            _with_distributions,
            kd_loss,
        ),
        wrong=told(exhibits.SOFT_TARGETS)
        + (
            (_returns_a_float, "must stay a tensor"),
            (_keeps_every_element, "one number for the whole batch"),
            (_two_slips_at_once, "The temperature softens neither side"),
            (_deaf_student, "reaches the student"),
            (_changes_its_arguments, "changed teacher_logits"),
            (_for_four_classes, "with 2 classes at T = 2"),
            (lambda student_logits: student_logits, "must take 3 arguments"),
            (1.88, "Hand over the function itself"),
        ),
    ),
    Exercise(
        key="02.cross_entropy",
        prompt="**Exercise.** Write `my_cross_entropy(logits, labels)`: the mean"
        " cross-entropy of those examples that have a label. A label of -100"
        " says that there is none. A batch without any label costs 0.",
        hints=(
            "F.cross_entropy leaves labels of -100 out by itself. What does its"
            " mean divide by when all of them are left out?",
            'With reduction="sum" the division is yours: by the number of'
            " labels that are not -100, and by 1 at least.",
        ),
        solution=my_cross_entropy,
        why="0 / 0 is NaN, and a single NaN ends a training. Most reviews of"
        " lesson 03 have no label, so whole batches without one do occur.",
        examine=examine_cross_entropy,
        right=(_gathered, _without_nan, labelled_cross_entropy),
        wrong=told(exhibits.LABELS) + ((F.cross_entropy, "must cost nothing"),),
    ),
    Exercise(
        key="02.distillation_loss",
        prompt="**Exercise.** Put them together: `my_distillation_loss("
        "student_logits, teacher_logits, labels, temperature, alpha)` is"
        " alpha times the soft targets' loss plus (1 - alpha) times the"
        " labels'.",
        hints=(
            "Both functions stand above. What is left at alpha = 1, and at alpha = 0?",
            "The temperature belongs to the soft targets alone; the labels"
            " meet the plain logits.",
        ),
        solution=my_distillation_loss,
        why="At alpha = 1 the labels are out of play, at alpha = 0 the teacher"
        " is: that is the control which every comparison needs.",
        examine=examine_distillation,
        right=(_textbook, _in_another_order, DistillationLoss),
        wrong=told(exhibits.BOTH)
        + (
            (_counted_unlabelled, mistakes.ALL_COUNTED.what),
            (_another_missing_label, "Labels of -100"),
            (_alpha_squared, "wrong at alpha = 0.25"),
            (_no_square_inside, mistakes.NO_SQUARE.what),
        ),
    ),
    Exercise(
        key="02.hidden_state_loss",
        prompt="**Exercise.** Write `my_hidden_state_loss(student_hidden,"
        " teacher_hidden, mask, projection)`: the squared error between the"
        " projected student and the teacher, averaged over the real tokens"
        " (mask 1) and the teacher's width. Padding (mask 0) does not count, and"
        " nothing may flow back into the teacher.",
        hints=(
            "The projection maps the student's width to the teacher's; it is"
            " called like a function.",
            "mask.bool() can index the first two dimensions: x[mask.bool()] has"
            " one row for each real token.",
        ),
        solution=my_hidden_state_loss,
        why="Selecting the real tokens first makes the divisor right by itself.",
        examine=examine_hidden,
        right=(_multiplied_by_the_mask, _selected_first, hidden_state_loss),
        wrong=told(exhibits.HIDDEN),
    ),
    Exercise(
        key="02.accumulate",
        prompt="**Exercise.** A batch that does not fit into memory comes in"
        " `parts` of equal size, each a pair (inputs, targets). Write"
        " `my_accumulate(model, loss_function, parts)`, which leaves in the model"
        " the gradient of the whole batch. `loss_function(outputs, targets)` is a"
        " mean over its examples.",
        hints=(
            "backward() adds to the gradients that are there already.",
            "The mean over the batch is the mean of the parts' means: each part"
            " counts 1 / len(parts).",
        ),
        solution=my_accumulate,
        why="Without the division the gradient, and so the step, grows with the"
        " number of parts. The same holds for a loss that divides by its own"
        " number of labels when parts have different numbers of them.",
        examine=examine_accumulation,
        right=(_averaged_once, _weighted_by_size),
        wrong=told(exhibits.ACCUMULATION),
    ),
    Question(
        key="02.q_sides",
        prompt="**Question 1.** `F.kl_div(first, second)` with its default"
        " settings: what must the two be?",
        options={
            "a": "both probabilities, as in the formula of the divergence",
            "b": "first the student's log-probabilities, then the teacher's"
            " probabilities",
            "c": "first the teacher's probabilities, then the student's"
            " log-probabilities",
        },
        answer="b",
        because={
            "a": "With probabilities as the first argument nothing crashes; the"
            " number is simply no divergence and can even be negative.",
            "b": "The first argument is the one that learns, and it comes as a"
            " logarithm; log_target=True changes the second one only.",
            "c": "The divergence would be taken the other way round, and of the"
            " wrong kind of numbers: the target's logarithm is NaN.",
        },
    ),
    Question(
        key="02.q_temperature",
        prompt="**Question 2.** Somebody mixes soft targets and labels half and half,"
        " trains with Adam, doubles T and forgets the factor $T^2$. What happens?",
        options={
            "a": "nothing much: Adam evens out a constant factor",
            "b": "the soft targets lose most of their pull; the labels decide",
            "c": "the soft targets pull harder, because more classes count now",
        },
        answer="b",
        because={
            "a": "It does so for a factor in front of the whole loss. Here one of two"
            " terms shrinks, and that changes what the loss asks for.",
            "b": "For logits of unit size, the gradient of the soft targets is a"
            " quarter of what it was, as if alpha had been turned down in secret.",
            "c": "More classes count, but all of them less: the softened distributions"
            " differ less, and so the gradient shrinks.",
        },
    ),
    Question(
        key="02.q_reverse",
        prompt="**Question 3.** A student with one peak cannot copy a teacher with two."
        " What does the forward KL, KL(teacher || student), make it do?",
        options={
            "a": "cover both peaks, even at the price of the valley between them",
            "b": "choose one peak and ignore the other",
            "c": "make a narrow peak in the middle, the mean of the two",
        },
        answer="a",
        because={
            "a": "Wherever the teacher puts probability, a student that puts none pays"
            " without limit. So it covers everything.",
            "b": "That is what the reverse KL does: it weights by the student, so"
            " what the student leaves out costs nothing.",
            "c": "In the middle, yes, but not narrow: a narrow curve would put next to"
            " nothing on either peak, which costs most.",
        },
    ),
)
