"""Tables and numbers of lesson 09: tokens as they are written, scores of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from ...data.completions import encode_completions
from ...evaluation import bleu, exact_matches, read_answer, rouge_l
from ...losses.sequence import generalized_jsd_loss
from .arms import Marks


def token_table(model, tokenizer, prompt: str, completion: str) -> pd.DataFrame:
    """Lay a text out token by token.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    prompt, completion : str

    Returns
    -------
    DataFrame
        The last tokens of the prompt and all of the completion, the end token
        included: ``learned`` says whether a loss counts it, ``probability`` how
        likely the model thought it.
    """
    ids, start = _ids(tokenizer, prompt, completion)
    sure = _probabilities(model, ids)[:-1].gather(1, ids[1:, None])[:, 0]
    rows = [
        {
            "token": tokenizer.decode([token]).strip() or "(space)",
            "learned": place >= start,
            "probability": f"{sure[place - 1]:.3f}" if place >= start else "",
        }
        for place, token in enumerate(ids.tolist())
    ]
    return pd.DataFrame(rows[start - 3 :]).set_index("token").T


def two_views(student, teacher, tokenizer, prompt: str, written: str) -> pd.DataFrame:
    """Set beside each token that a student wrote what both think of it.

    Parameters
    ----------
    student, teacher : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    prompt, written : str

    Returns
    -------
    DataFrame
        The probability that each gives the token, and in nats by how much the
        teacher would rather have seen another.
    """
    ids, start = _ids(tokenizer, prompt, written)
    places = range(start, len(ids))
    own, its = (
        [_probabilities(m, ids)[p - 1, ids[p]].item() for p in places]
        for m in (student, teacher)
    )
    table = pd.DataFrame(
        {
            "student": np.round(own, 3),
            "teacher": np.round(its, 3),
            "log ratio": np.round(np.log(own) - np.log(its), 2),
        },
        index=[tokenizer.decode([int(ids[p])]).strip() for p in places],
    )
    return table.rename_axis("token").T


def least_sure(model, tokenizer, prompt: str, completion: str) -> torch.Tensor:
    """Return the logits where a model is least sure of the next token of a text.

    Returns
    -------
    Tensor, shape (vocabulary,)
    """
    ids, start = _ids(tokenizer, prompt, completion)
    with torch.no_grad():
        logits = model(input_ids=ids[None]).logits[0, start - 1 : -1]
    chances = logits.softmax(-1)
    return logits[torch.special.entr(chances).sum(-1).argmax()]


def divergences(
    teacher_logits: torch.Tensor, temperatures: Sequence[float]
) -> dict[str, list[float]]:
    """Compare a teacher with students that are more, or less, sure than it.

    Parameters
    ----------
    teacher_logits : Tensor, shape (vocabulary,)
    temperatures : sequence of float
        Each student has the teacher's logits, divided by one of them.

    Returns
    -------
    dict of str to list of float
        In nats: forward KL, reverse KL and the divergence half-way between.
    """
    teacher = teacher_logits[None, None]
    return {
        name: [
            generalized_jsd_loss(teacher / t, teacher, beta=beta).item()
            for t in temperatures
        ]
        for name, beta in (
            ("forward KL", 0.0),
            ("reverse KL", 1.0),
            ("Jensen-Shannon", 0.5),
        )
    }


def by_operations(
    marks: Sequence[Marks], kinds: Sequence[str], lengths: Sequence[int]
) -> dict[str, list[float]]:
    """Return the share of right answers by the number of operations.

    Parameters
    ----------
    marks : sequence of Marks
    kinds : sequence of str
        The names of the arms.
    lengths : sequence of int
        Operations of each story of the exam.

    Returns
    -------
    dict of str to list of float
        One number for each length that occurs, in order, and one for the longer
        stories; means over the seeds.
    """
    lengths = np.asarray(lengths)
    shares = {}
    for kind in kinds:
        own = [mark for mark in marks if mark.name == kind]
        right = np.mean([mark.right for mark in own], axis=0)
        shares[kind] = [
            *(float(right[lengths == n].mean()) for n in np.unique(lengths)),
            float(np.mean([mark.longer for mark in own])),
        ]
    return shares


def in_words(shares: Mapping[str, Sequence[float]]) -> str:
    """Read bars out, group by group.

    Parameters
    ----------
    shares : mapping of str to sequence of float
        As :func:`by_operations` returns them.

    Returns
    -------
    str
    """
    return "; ".join(
        f"{kind} " + ", ".join(f"{share:.2f}" for share in by_length)
        for kind, by_length in shares.items()
    )


def text_scores(texts: Mapping[str, str], reference: str) -> pd.DataFrame:
    """Score texts against one reference in four ways.

    Parameters
    ----------
    texts : mapping of str to str
        By a name for each.
    reference : str

    Returns
    -------
    DataFrame
        ``BLEU`` is empty where sacrebleu is not installed.
    """
    rows = {}
    for name, text in texts.items():
        one = [text], [reference]
        same = exact_matches([read_answer(text)], [read_answer(reference)])
        try:
            by_words = f"{bleu(*one):.0f}"
        except ImportError:
            by_words = ""
        rows[name] = {
            "answer right": bool(same[0]),
            "steps right": text == reference,
            "BLEU": by_words,
            "ROUGE-L": f"{rouge_l(*one):.0f}",
        }
    return pd.DataFrame(rows).T


def _ids(tokenizer, prompt: str, completion: str) -> tuple[torch.Tensor, int]:
    (row,) = encode_completions(tokenizer, [prompt], [completion])
    ids = [*row["prompt_ids"], *row["completion_ids"]]
    return torch.tensor(ids), len(row["prompt_ids"])


@torch.no_grad()
def _probabilities(model, ids: torch.Tensor) -> torch.Tensor:
    return model(input_ids=ids[None]).logits[0].softmax(-1)
