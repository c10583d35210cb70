"""The mistakes that the bug zoo knows, each with its sentence and its source.

The sources are public threads and code in which the mistake was made or
discussed; most were mended long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..exercises.outcomes import Incorrect
from ..language import Message


@dataclass(frozen=True)
class Mistake:
    """One way to get it wrong.

    Attributes
    ----------
    what : str
        In a sentence.
    look : str
        Where to look.
    source : str
        Where it was seen; empty where we know of no public case.
    """

    what: str
    look: str
    source: str = ""


PROBABILITIES = Mistake(
    "Probabilities stand where log-probabilities belong.",
    "the first argument of F.kl_div: F.log_softmax, not F.softmax",
    "microsoft/ProDA #20 and #43",
)
NOT_A_NUMBER = Mistake(
    "The loss is NaN or infinite on ordinary logits: the logarithm of a number"
    " that is not positive was taken.",
    "the second argument of F.kl_div: probabilities, or log-probabilities with"
    " log_target=True",
)
LOGITS = Mistake(
    "Plain logits stand where log-probabilities belong.",
    "the first argument of F.kl_div: F.log_softmax of the student's logits",
)
SOFTMAX_TWICE = Mistake(
    "The student's logits go through the softmax twice.",
    "F.log_softmax takes logits, not probabilities",
)
MEAN = Mistake(
    'reduction="mean" divides by the number of classes as well.',
    'the reduction: "batchmean" divides by the batch alone',
    "haitongli/knowledge-distillation-pytorch #48; PyTorch's page on kl_div warns",
)
SUM = Mistake(
    "The loss is a sum over the batch, so it grows with the batch size.",
    'the reduction: "batchmean", or divide by the number of examples',
)
NO_SQUARE = Mistake(
    "The factor T^2 is missing, so the gradient fades as T grows.",
    "the last step: multiply by temperature ** 2",
    "keras-team/keras-io #869; IntelLabs/distiller #122",
)
ONE_T = Mistake(
    "The loss is multiplied by T, not by T^2.",
    "the last step: temperature ** 2",
)
DIVIDED = Mistake(
    "The loss is divided by T^2 instead of multiplied.",
    "the last step: temperature ** 2 as a factor",
)
STUDENT_ONLY = Mistake(
    "The temperature softens the student only.",
    "the teacher's logits: divide them by the temperature too",
    "lancopku/DynamicKD #1",
)
TEACHER_ONLY = Mistake(
    "The temperature softens the teacher only.",
    "the student's logits: divide them by the temperature too",
)
MULTIPLIED = Mistake(
    "The logits are multiplied by the temperature, which sharpens them.",
    "both softmaxes: logits / temperature",
)
NEITHER = Mistake(
    "The temperature softens neither side.",
    "both softmaxes: their logits are divided by the temperature",
)
SWAPPED = Mistake(
    "The two sides are swapped: this is KL(student || teacher).",
    "the order in F.kl_div: the student first, the teacher as the target",
    "paiml/aprender #2153",
)
OVER_BATCH = Mistake(
    "The softmax runs over the batch instead of the classes.",
    "dim: the classes are the last dimension, dim=-1",
    "fxia22/pointnet.pytorch #27 (another task, the same slip)",
)
ENTROPY_LEFT = Mistake(
    "This is the cross-entropy with soft targets: its gradient is right, but"
    " it is not zero when the student equals the teacher.",
    "the teacher's entropy: subtract it, and what is left is the KL divergence",
)
NEGATIVE = Mistake(
    "The sign is turned round: training would drive the student away.",
    "a minus sign, or the order inside a subtraction of logarithms",
)
LOG_TARGET = Mistake(
    "log_target=True is set, but the teacher's side holds probabilities.",
    "the second argument of F.kl_div: F.log_softmax, or leave log_target out",
)
SIGMOID = Mistake(
    "A sigmoid treats each class on its own; here the classes share one unit.",
    "softmax instead of sigmoid",
)
BOTH_WAYS = Mistake(
    "This mixes the two directions of the KL divergence.",
    "KL(teacher || student) alone",
)
RANDOM = Mistake(
    "The same input gives two different numbers.",
    "dropout or noise inside the loss",
)
TEACHER_TWICE = Mistake(
    "The loss does not change with the student: the teacher's logits stand on"
    " both sides.",
    "which logits go into the student's softmax",
    "labmlai/annotated_deep_learning_paper_implementations #66",
)
STUDENT_TWICE = Mistake(
    "The loss does not change with the teacher: the student's logits stand on"
    " both sides.",
    "which logits go into the teacher's softmax",
    "keras-team/keras-io #257 (the teacher was set to the student)",
)
HARD_TARGETS = Mistake(
    "Only the teacher's first choice is used; what makes its answer soft is lost.",
    "argmax: leave it out",
)
SQUARED_ERROR = Mistake(
    "This is the mean squared error of the logits, another loss.",
    "F.mse_loss: the soft targets are compared with a KL divergence",
)
INTO_TEACHER = Mistake(
    "The gradient flows into the teacher: it would learn to agree with the student.",
    "the teacher's side: .detach()",
    "pytorch/translate #391; open-mmlab/mmrazor #100",
)
UNDERFLOW = Mistake(
    "A confident pair of logits breaks the loss: a softmax underflowed to"
    " 0 before its logarithm was taken.",
    "softmax followed by log: F.log_softmax does both safely",
)
NO_GRADIENT = Mistake(
    "No gradient, or a wrong one, reaches the student although the value is right.",
    "detach() and torch.no_grad() on the student's side: remove them",
)
ALPHA_SWAPPED = Mistake(
    "alpha and 1 - alpha are swapped: alpha weighs the soft targets.",
    "the weights of the two terms",
    "lucidrains/vit-pytorch #91",
)
SOFT_MISSING = Mistake(
    "The soft targets are missing: the loss is the cross-entropy at any alpha.",
    "the first term: alpha times the soft targets' loss",
)
LABELS_MISSING = Mistake(
    "The labels are missing: the loss is that of the soft targets at any alpha.",
    "the second term: (1 - alpha) times the cross-entropy",
)
ALPHA_UNUSED = Mistake(
    "The loss is the same for every alpha.",
    "alpha: it weighs the two terms",
)
LABELS_LEFT = Mistake(
    "At alpha = 1 the labels still count.",
    "the weight of the cross-entropy: 1 - alpha, which is 0 there",
)
CE_UNWEIGHTED = Mistake(
    "The cross-entropy is not weighted by 1 - alpha.",
    "the weights of the two terms: at alpha = 1 the labels must not count",
)
KD_UNWEIGHTED = Mistake(
    "The soft targets are not weighted by alpha.",
    "the weights of the two terms: at alpha = 0 the teacher must not count",
)
ALL_COUNTED = Mistake(
    "The cross-entropy is divided by all examples, also by those without a label.",
    "the divisor: only labels other than -100 count",
)
LABEL_ZERO = Mistake(
    "A label of -100 says that there is none; here it counts as class 0.",
    "what happens to labels below 0: leave these examples out",
)
TEACHER_LABELS = Mistake(
    "The cross-entropy is taken of the teacher's logits, which never learn.",
    "the first argument of F.cross_entropy: the student's logits",
)
SOFTENED_LABELS = Mistake(
    "The cross-entropy with the labels is softened by the temperature.",
    "the first argument of F.cross_entropy: the plain logits",
)
SQUARED_LABELS = Mistake(
    "The cross-entropy is multiplied by T^2 too.",
    "the brackets: T^2 belongs to the soft targets alone",
)
PROBABILITY_LABELS = Mistake(
    "F.cross_entropy is given probabilities; it takes logits.",
    "the first argument of F.cross_entropy: no softmax before it",
)
LABEL_SIGN = Mistake(
    "The sign of the cross-entropy is turned round.",
    "the minus sign: it is minus the log-probability of the right class",
)
LABEL_SUM = Mistake(
    "The cross-entropy is a sum, not a mean over the labelled examples.",
    "the reduction of F.cross_entropy",
)
PADDING_COUNTED = Mistake(
    "Padding counts: the loss changes with tokens that are not there.",
    "the mask: leave out the positions where it is 0",
    "peremartra/optipfair #34; arcee-ai/DAM #16",
)
PADDING_DIVIDES = Mistake(
    "The sum leaves padding out, but the divisor still counts it.",
    "the divisor: the number of real tokens times the teacher's width",
    "arcee-ai/DAM #16",
)
ONLY_PADDING = Mistake(
    "The mask is turned round: only the padding counts.",
    "the mask: 1 marks a real token",
)
MASKED_BEFORE = Mistake(
    "The student is masked before the projection, so the projection's bias counts"
    " as an error of the padding.",
    "the order: project first, then leave the padding out",
)
TEXT_BY_TEXT = Mistake(
    "Each text is averaged on its own, so a token of a short text weighs more.",
    "one mean over all real tokens of the batch",
)
HIDDEN_SUM = Mistake(
    "The loss is a sum; it grows with the length of the texts or the width.",
    "the divisor: the number of real tokens times the teacher's width",
)
UNDIVIDED = Mistake(
    "The gradient is as many times too large as there are parts.",
    "each part's loss: divide it by len(parts) before backward()",
    "MakazhanAlpamys/Soup #720; claim C09",
)
LAST_PART = Mistake(
    "Only the last part's gradient is left.",
    "zero_grad() in the loop, or a backward() that stands behind it",
)
PROMPT_COUNTED = Mistake(
    "Tokens of the prompt count: the student learns to write questions as well.",
    "the labels: -100 on the prompt",
    "huggingface/trl #6006 (a review saw it for texts that the student wrote)",
)
UNSHIFTED = Mistake(
    "Each token is compared with the logits at its own place, where it has been read"
    " already.",
    "the shift: logits[:, :-1] foresee input_ids[:, 1:]",
)
END_MASKED = Mistake(
    "The end token does not count, so the student never learns to stop.",
    "the labels: leave padding out by the attention mask, not by its token",
    "huggingface/trl #976; huggingface/transformers #23530",
)
PADDING_TOKENS = Mistake(
    "Padding counts as text that is to be written.",
    "the labels: -100 where the attention mask is 0",
    "huggingface/trl #1625",
)
PLACES_COUNTED = Mistake(
    "Places with the label -100 count too: prompt and padding.",
    "labels != -100: these places alone",
    "huggingface/trl #2058",
)
LENGTH_DIVIDES = Mistake(
    "The sum leaves out what does not count, but the divisor is the padded length or"
    " the number of texts.",
    "the divisor: the number of labels other than -100",
)
TOKEN_SUM = Mistake(
    "The loss is a sum over the tokens, so it grows with the length of the texts.",
    "the divisor: the number of labels other than -100",
)
NOT_RENORMALISED = Mistake(
    "The other classes are not divided by their sum: their probabilities do not sum"
    " to 1, so the second term still hangs on how sure the teacher is.",
    "the softmax of the other classes: without the target among them",
)
COUPLED = Mistake(
    "The second term is multiplied by what the teacher leaves over, 1 - p of the"
    " target: that is the plain KL divergence, coupled again.",
    "the factor of the second term: beta alone",
)
TARGET_KEPT = Mistake(
    "The target class is still among the others: the second term is the whole KL"
    " divergence.",
    "the mask of the target class: leave it out before the softmax",
    "yzd-v/cls_KD #16",
)
BETA_SWAPPED = Mistake(
    "alpha and beta are swapped: alpha weighs the target class against the others,"
    " beta the others among themselves.",
    "the weights of the two terms",
)
NEVER_FULL = Mistake(
    "The pacing never reaches 1: some texts are never read.",
    "its value at the end of the training",
)
PACING_FALLS = Mistake(
    "The pacing runs backwards: the share in use falls.",
    "the sign of the slope: it begins with `start` and ends with 1",
)
MORE_THAN_ALL = Mistake(
    "The share passes 1: there are not more texts than all.",
    "what happens after `full_at`: min(1, ...)",
)
MEAN_NOT_ONE = Mistake(
    "The mean of the weights is not 1: so the learning rate has moved as well, and a"
    " gain may come from that alone.",
    "the last step: divide by the mean",
)
NEGATIVE_WEIGHT = Mistake(
    "A weight is negative or no number: the student would run away from its teacher.",
    "what is subtracted from what: the largest probability comes first",
)
UNSURE_COUNTS = Mistake(
    "The weights are turned round: what the teacher is unsure of counts most.",
    "1 - gap: the gap itself is the weight",
)
MARGIN_OF_LOGITS = Mistake(
    "The gap is taken between logits, which have no upper end: a few texts get nearly"
    " all of the weight.",
    "the softmax: it comes before the gap",
)
TOP_MOVED = Mistake(
    "The likeliest class moves: the answer itself is scrambled, not only what stands"
    " beside it.",
    "the likeliest class of each text: take it out before you shuffle",
)
VALUES_CHANGED = Mistake(
    "A text has other values than before: a shuffle only moves them within their row.",
    "the dimension that is shuffled: classes, not texts",
)
NOT_SHUFFLED = Mistake(
    "The logits stand as they stood.",
    "what is returned: the shuffled ones",
)
ONE_ORDER = Mistake(
    "Every text gets the same new order: that renames the classes, and a student can"
    " learn it.",
    "where the order is drawn: anew for each text",
)
UNSCALED = Mistake(
    "The scores are not divided by the square root of the width.",
    "the scores: / width ** 0.5, or a wide head looks at one place alone from the"
    " first step on",
)
OVER_WORDS = Mistake(
    "The softmax runs over the words that look, not over the cells they look at.",
    "dim: what is looked at is the last dimension, dim=-1",
)
ROLES_SWAPPED = Mistake(
    "Queries and keys are swapped: the cells look at the words.",
    "the product: queries @ keys.T has a row for each word",
)
MAP_PADDING = Mistake(
    "Words that are padding, or have no picture to look at, are counted.",
    "the mask: multiply by it, and divide by its sum",
)
MAP_DIVISOR = Mistake(
    "What is masked is left out of the sum but not of the divisor.",
    "the mean: divide by mask.sum()",
)
MAP_SIDES = Mistake(
    "The two sides are swapped: this is KL(student || teacher).",
    "the weights of the sum: the teacher's shares",
)
BOTH_SENSES_LOST = Mistake(
    "Some cards lose both senses, and nothing is left to answer from.",
    "one random number a card: below the share for one sense, above 1 - share for the"
    " other",
)
WHOLE_BATCH = Mistake(
    "All cards of a batch lose the same sense.",
    "how many random numbers you draw: one a card",
)
ONE_SENSE = Mistake(
    "Only one of the senses is ever lost, so the other is never missed.",
    "the second of the two rules",
)


def told(
    exhibits: Iterable[tuple[Callable, Mistake]],
) -> tuple[tuple[Callable, str], ...]:
    """Pair each exhibit with its sentence: an exercise's ``wrong`` solutions."""
    return tuple((function, mistake.what) for function, mistake in exhibits)


def describe(mistakes, given="", expected="") -> Incorrect:
    """Turn mistakes into what the reader is told."""
    return Incorrect(
        Message.joined(" And: ", [Message.of(m.what) for m in mistakes]),
        given=given,
        expected=expected,
        look=Message.joined("; ", [Message.of(m.look) for m in mistakes]),
        source="; ".join(m.source for m in mistakes if m.source),
    )
