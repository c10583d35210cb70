"""The mistakes that are made about privacy, fairness and forgetting."""

from __future__ import annotations

from .mistakes import Mistake

# ------------------------------------------------------------------- epsilon
EPSILONS_ADDED = Mistake(
    "The epsilons of single steps are added up: that is an upper bound, and a poor"
    " one. What adds up exactly is the Renyi divergence at one order.",
    "the order of things: first the sum over the steps, then the conversion, once",
)
NO_DELTA = Mistake(
    "What you return does not depend on delta: it is a Renyi divergence, not an"
    " epsilon. Without its delta an epsilon of Gaussian noise says nothing.",
    "the two terms of the conversion, with delta in the second",
)
LOOSE = Mistake(
    "The bound is true but loose: it leaves out the terms that the order itself gives.",
    "log((order - 1) / order), and + log(order) beside log(delta)",
)
NOISE_NOT_SQUARED = Mistake(
    "The noise enters as it is, and not as its square.",
    "the Renyi divergence of two Gaussians: order / (2 * noise ** 2)",
)
NOT_THE_BEST_ORDER = Mistake(
    "Every order gives a true epsilon; the smallest of them is the one to report.",
    "min over the orders, after the conversion",
)

# --------------------------------------------------------------------- votes
OVERLAP = Mistake(
    "The shards overlap: one row teaches several teachers and moves as many votes."
    " The noise hides one.",
    "how the rows are dealt out: rows[k::teachers] gives each row to one teacher",
)
NOT_ALL_ROWS = Mistake(
    "Some rows reach no teacher.",
    "how the rows are dealt out",
)
NO_VOTE_NOISE = Mistake(
    "Where the vote is close, the answer never varies: there is no noise, or the same"
    " for all classes.",
    "the counts: a normal number of its own for every query and class",
)
NOISE_TOO_LATE = Mistake(
    "Where all teachers agree, the answer still varies: the noise is added to what"
    " the counts were turned into, the winner or the shares.",
    "the order: count, add the noise to the counts, then take the largest",
)

# ----------------------------------------------------------------------- AUC
TURNED_ROUND = Mistake(
    "The direction is turned round: a model has a LOWER loss on what it has seen.",
    "the comparison: how often is the member's loss the smaller one?",
)
FOLDED = Mistake(
    "An AUC below one half was folded upwards. An attack that is worse than chance"
    " on these texts is worse than chance; folded, noise looks like a leak.",
    "max(auc, 1 - auc): leave it out",
)
TIES_LOST = Mistake(
    "Equal losses count as lost. Nobody can tell such a pair apart: it is a coin"
    " toss, one half.",
    "< without the half of ==",
)
TIES_WON = Mistake(
    "Equal losses count as won. Nobody can tell such a pair apart: it is a coin"
    " toss, one half.",
    "<= in place of < and the half of ==",
)

# ---------------------------------------------------------------------- swap
ONLY_HIM = Mistake(
    "`her` becomes `him` everywhere: 'her film' turns into 'him film'.",
    "the word behind: before a word `her` is `his`, else `him`",
)
ONLY_HIS = Mistake(
    "`her` becomes `his` everywhere: 'saw her.' turns into 'saw his.'.",
    "the word behind: before a word `her` is `his`, else `him`",
)
ONE_SIDE = Mistake(
    "In the end both persons are of one side: one direction is missing, or a second"
    " replacement turns back what the first has swapped.",
    "one pass over the text, with both directions in one table: re.sub with a"
    " function, or word by word",
)
CASE_LOST = Mistake(
    "A capital letter is lost: the text differs in more than the person.",
    "the first letter of each word that is swapped",
)
CAPITALS_MISSED = Mistake(
    "A word with a capital letter is not found.",
    "the comparison: word.lower()",
)
PART_OF_A_WORD = Mistake(
    "Letters inside of longer words are swapped: 'the' holds 'he'.",
    r"the border of a word: \b in a regular expression",
)

# -------------------------------------------------------------------- Fisher
TRUE_LABELS = Mistake(
    "The gradients are those of the true labels. Their squares are the 'empirical"
    " Fisher', which says where the model is still wrong, not where it is sure.",
    "the labels: draw(probabilities) gives those that the model itself believes in",
)
LIKELIEST_LABELS = Mistake(
    "The labels are the model's likeliest ones: where it is unsure, that leaves out"
    " what it also believes.",
    "argmax: draw(probabilities) in its place",
)
BATCH_SQUARED = Mistake(
    "The mean gradient is squared. Gradients of single inputs cancel in the mean;"
    " the Fisher is the mean of their squares.",
    "the order: square for each input, then take the mean",
)
SUM_OF_SQUARES = Mistake(
    "The squares are added up, so the Fisher grows with the number of inputs, and"
    " the strength of EWC with it.",
    "divide by the number of inputs",
)
NOT_SQUARED = Mistake(
    "The gradients are not squared.",
    "gradient ** 2",
)
