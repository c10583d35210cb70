"""Structured pruning: channels and heads that are taken away, not masked.

What is kept is what matters most to the loss, by a first-order estimate. A
pruned model is smaller in every sense: fewer weights, fewer multiplications, a
smaller file. It saves, loads and exports like any other.

References
----------
.. [1] P. Molchanov et al., "Pruning convolutional neural networks for
   resource efficient inference", ICLR 2017, arXiv:1611.06440.
.. [2] P. Michel, O. Levy, G. Neubig, "Are sixteen heads really better than
   one?", NeurIPS 2019, arXiv:1905.10650.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers.pytorch_utils import prune_linear_layer

from ..data.encoding import (
    DistillationCollator,
    EncodedReviews,
    device_of,
    length_grouped,
    to_device,
)
from ..data.labels import problem_type_of
from ..losses.combined import standard_losses, usable
from ..losses.weighted import weighted_sum
from ..students.text_cnn import TextCNNForSequenceClassification
from ..training.task import for_task
from .reshaped import core_of, replace_module, reshaped_copy

# Producers give a group its channels; the consumer reads them.
_FAMILIES = (
    {
        "ffn": ("intermediate.dense", ["intermediate.dense"], "output.dense"),
        "heads": (
            "attention.self.query",
            ["attention.self.query", "attention.self.key", "attention.self.value"],
            "attention.output.dense",
        ),
    },
    {
        "ffn": ("ffn.lin1", ["ffn.lin1"], "ffn.lin2"),
        "heads": (
            "attention.q_lin",
            ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
            "attention.out_lin",
        ),
    },
)


@dataclass(frozen=True)
class Group:
    """Channels of one layer that can be taken away together.

    Attributes
    ----------
    kind : str
        ``"ffn"`` or ``"heads"``.
    producers : list of str
        Modules whose outputs they are.
    consumer : str
        The module that reads them.
    unit : int
        Channels that go together: 1, or the width of a head.
    count : int
        Units that there are.
    """

    kind: str
    producers: list[str]
    consumer: str
    unit: int
    count: int


def groups_of(model) -> list[Group]:
    """Find the channels and heads of an encoder that can be pruned.

    Parameters
    ----------
    model : PreTrainedModel
        BERT, ELECTRA, RoBERTa, DistilBERT or a student of their kind.

    Returns
    -------
    list of Group
        Two for each layer: its heads and its FFN channels.

    Raises
    ------
    ValueError
        If the model is of another kind.
    """
    modules = dict(core_of(model).named_modules())
    found = []
    for family in _FAMILIES:
        for kind, (mark, producers, consumer) in family.items():
            for name in modules:
                stem = re.fullmatch(rf"(.*\.\d+\.){re.escape(mark)}", name)
                if stem:
                    found.append(_group(modules, kind, stem[1], producers, consumer))
    if not found:
        raise ValueError(
            f"{type(model).__name__} cannot be pruned here; encoders in the manner of"
            " BERT, ELECTRA, RoBERTa or DistilBERT and the text CNN can"
        )
    return found


def _group(modules, kind: str, stem: str, producers, consumer: str) -> Group:
    channels = modules[stem + consumer].in_features
    unit = 1
    if kind == "heads":
        owner = modules[(stem + producers[0]).rpartition(".")[0]]
        unit = owner.attention_head_size
    return Group(
        kind, [stem + p for p in producers], stem + consumer, unit, channels // unit
    )


def importances(
    model, tokenizer, reviews: EncodedReviews, batch_size: int = 32
) -> dict[str, torch.Tensor]:
    r"""Estimate what the loss would lose without each channel or head.

    .. math:: I_c = \mathrm{mean} \, \Bigl| \sum a_c \,
              \frac{\partial L}{\partial a_c} \Bigr|

    the first-order change of the loss if the activation :math:`a_c` became 0,
    summed over a text's tokens and a head's channels [1]_, [2]_.

    Parameters
    ----------
    model : PreTrainedModel
        An encoder as for :func:`groups_of`, or a text CNN.
    tokenizer : PreTrainedTokenizerBase
        The model's.
    reviews : EncodedReviews
        With soft targets, labels or both; a few hundred suffice.
    batch_size : int, default 32

    Returns
    -------
    dict of str to Tensor, shape (units,)
        By the name of the module that reads the channels; on the CPU.

    Raises
    ------
    ValueError
        If there is no review, the model cannot be pruned, or the labels are not
        of the kind that it was built for.

    References
    ----------
    .. [1] P. Molchanov et al., "Pruning convolutional neural networks for
       resource efficient inference", ICLR 2017, arXiv:1611.06440.
    .. [2] P. Michel, O. Levy, G. Neubig, "Are sixteen heads really better than
       one?", NeurIPS 2019, arXiv:1905.10650.
    """
    if not len(reviews):
        raise ValueError("reviews must hold at least one review, got none")
    units = _readers(model)
    reviews = for_task(reviews, problem_type_of(model), model.config.num_labels)
    collate = DistillationCollator(tokenizer.pad_token_id)
    totals = {name: torch.zeros(count) for name, (_, count, _) in units.items()}
    model.eval()
    for rows in length_grouped(reviews.lengths, batch_size):
        batch = to_device(collate([reviews[i] for i in rows]), device_of(model))
        for name, effect in _effects(model, units, batch).items():
            totals[name] += effect.cpu()
    return {name: total / len(reviews) for name, total in totals.items()}


def _readers(model) -> dict[str, tuple[int, int, bool]]:
    """Return unit, count, and whether channels come last, for each reader."""
    if isinstance(model, TextCNNForSequenceClassification):
        count = model.config.filters
        return {
            f"convolutions.{i}": (1, count, False)
            for i in range(len(model.config.widths))
        }
    return {g.consumer: (g.unit, g.count, True) for g in groups_of(model)}


def _effects(model, units, batch) -> dict[str, torch.Tensor]:
    """Return the summed |activation times gradient| of each unit."""
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str, first: bool):
        def hook(module, inputs, output=None):
            value = inputs[0] if first else output
            value.retain_grad()
            kept[name] = value

        return hook

    modules, hooks = dict(core_of(model).named_modules()), []
    for name, (_, _, reads) in units.items():
        attach = (
            modules[name].register_forward_pre_hook
            if reads
            else modules[name].register_forward_hook
        )
        hooks.append(attach(keep(name, reads)))
    try:
        with torch.enable_grad():
            _loss(model, batch).backward()
    finally:
        for hook in hooks:
            hook.remove()
        model.zero_grad(set_to_none=True)
    effects = {}
    for name, (unit, count, reads) in units.items():
        product = kept[name].detach() * kept[name].grad * len(batch["labels"])
        # One number for each text and unit: tokens and a head's channels summed.
        product = product.sum(1) if reads else product.sum(2)
        effects[name] = product.reshape(-1, count, unit).sum(2).abs().sum(0)
    return effects


def _loss(model, batch) -> torch.Tensor:
    """Soft targets where there are some, else labels."""
    outputs = model(batch["input_ids"], batch["attention_mask"])
    kind = problem_type_of(model)
    losses = usable(standard_losses(1.0, 1.0, kind), batch, kind)
    return weighted_sum(losses, outputs, batch)[0]


def prune(
    model,
    *,
    ffn: float = 0.0,
    heads: float = 0.0,
    scores: dict[str, torch.Tensor],
) -> nn.Module:
    """Take away the least important FFN channels and heads of every layer.

    Parameters
    ----------
    model : PreTrainedModel
        An encoder as for :func:`groups_of`; it is not changed.
    ffn, heads : float, default 0.0
        Share to take away of each layer's channels and heads, within [0, 1);
        rounded down to whole ones.
    scores : dict of str to Tensor
        From :func:`importances`.

    Returns
    -------
    PreTrainedModel
        Saves, loads (after ``import distill_helpers``) and exports.

    Raises
    ------
    ValueError
        If a share is out of range or empties a layer, nothing would be taken
        away, or the scores are of another model.
    """
    shares = {"ffn": _share("ffn", ffn), "heads": _share("heads", heads)}
    groups = groups_of(model)
    kept = {}
    for group in groups:
        fits = len(scores.get(group.consumer, ())) == group.count
        if not fits:
            raise ValueError(f"scores do not fit this model: see {group.consumer!r}")
        kept[group.consumer] = keep_units(
            scores[group.consumer], shares[group.kind], group.consumer
        )
    if all(len(kept[g.consumer]) == g.count for g in groups):
        raise ValueError(
            f"ffn={ffn!r} and heads={heads!r} take nothing away: there are"
            f" {sorted({(g.kind, g.count) for g in groups})} units in a layer"
        )

    def cut(inner: nn.Module) -> None:
        for group in groups:
            places = _channels(kept[group.consumer], group.unit)
            sides = [(name, 0) for name in group.producers] + [(group.consumer, 1)]
            for name, side in sides:
                layer = prune_linear_layer(inner.get_submodule(name), places, side)
                replace_module(inner, name, layer)

    with torch.no_grad():
        return reshaped_copy(model, cut)


def prune_filters(model, share: float, scores: dict[str, torch.Tensor]) -> nn.Module:
    """Take away the least important filters of every width of a text CNN.

    Parameters
    ----------
    model : TextCNNForSequenceClassification
        It is not changed.
    share : float
        Within [0, 1).
    scores : dict of str to Tensor
        From :func:`importances`.

    Returns
    -------
    TextCNNForSequenceClassification
        With ``config.filters`` to match.

    Raises
    ------
    ValueError
        As for :func:`prune`.
    """
    if not isinstance(model, TextCNNForSequenceClassification):
        raise ValueError(f"a text CNN is wanted, got {type(model).__name__}")
    share, filters = _share("share", share), model.config.filters
    config, columns, kept = copy.deepcopy(model.config), [], []
    for place in range(len(config.widths)):
        name = f"convolutions.{place}"
        if len(scores.get(name, ())) != filters:
            raise ValueError(f"scores do not fit this model: see {name!r}")
        kept.append(keep_units(scores[name], share, name))
        for pooling in range(2):  # by maximum and by mean
            columns.append(kept[-1] + (2 * place + pooling) * filters)
    if len(kept[0]) == filters:
        raise ValueError(f"share={share!r} of {filters} filters takes nothing away")
    config.filters = len(kept[0])
    smaller = type(model)(config)
    smaller.embedding.load_state_dict(model.embedding.state_dict())
    with torch.no_grad():
        for old, new, places in zip(model.convolutions, smaller.convolutions, kept):
            new.weight.copy_(old.weight[places])
            new.bias.copy_(old.bias[places])
        smaller.classifier.weight.copy_(model.classifier.weight[:, torch.cat(columns)])
        smaller.classifier.bias.copy_(model.classifier.bias)
    return smaller.to(device_of(model)).eval()


def keep_units(scores: torch.Tensor, share: float, where: str) -> torch.Tensor:
    """Return the places of the most important units, in their order.

    Parameters
    ----------
    scores : Tensor, shape (units,)
    share : float
        To take away, rounded down to whole units.
    where : str
        For the message.

    Raises
    ------
    ValueError
        If nothing would be left.

    Examples
    --------
    >>> keep_units(torch.tensor([3.0, 1.0, 2.0, 0.5]), 0.5, "layer").tolist()
    [0, 2]
    """
    left = len(scores) - int(share * len(scores) + 1e-9)
    if left < 1:
        raise ValueError(f"a share of {share:g} leaves nothing of {where!r}")
    return scores.topk(left).indices.sort().values


def _share(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} must lie in [0, 1), got {value!r}")
    return value


def _channels(units: torch.Tensor, size: int) -> torch.Tensor:
    return (units[:, None] * size + torch.arange(size, device=units.device)).flatten()


def multiplications(model, length: int = 128) -> int:
    """Count a model's multiplications for one text, as PyTorch counts them.

    Parameters
    ----------
    model : PreTrainedModel
    length : int, default 128
        Tokens of the text.

    Returns
    -------
    int
        Of all linear and convolutional layers, and of attention itself.
    """
    ids = torch.ones(1, length, dtype=torch.long, device=device_of(model))
    # Of the ways to compute attention only the plain one is counted everywhere.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as counter:
            model(input_ids=ids, attention_mask=torch.ones_like(ids))
    return counter.get_total_flops() // 2  # an addition comes with each
