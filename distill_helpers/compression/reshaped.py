"""Classifiers whose layers no longer fit the config that they came from.

A pruned encoder has fewer heads than its width divided by their size, a
factorised one has two matrices for an embedding. Neither fits a stock config,
so neither could be loaded again. Here the config remembers the source's config
and every shape that differs; loading builds the source and reshapes it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from ..data.encoding import device_of
from ..students.spec import model_type

_FROM_SOURCE = ("vocab_size", "pad_token_id", "id2label", "label2id", "problem_type")


class ReshapedConfig(PreTrainedConfig):
    """Config of :class:`ReshapedForSequenceClassification`.

    Parameters
    ----------
    source : dict
        The config of the model that was reshaped.
    linears : dict of str to [int, int]
        Rows and columns of linear layers that differ from it, by name.
    ranks : dict of str to int
        Ranks of embeddings that were factorised, by name.
    """

    model_type = model_type("reshaped")

    def __init__(self, source=None, linears=None, ranks=None, **kwargs):
        self.source = source or {}
        self.linears = linears or {}
        self.ranks = ranks or {}
        for name in _FROM_SOURCE:
            if self.source.get(name) is not None:
                kwargs.setdefault(name, self.source[name])
        if "id2label" in kwargs:
            kwargs["id2label"] = {int(k): v for k, v in kwargs["id2label"].items()}
        super().__init__(**kwargs)

    def source_config(self) -> PreTrainedConfig:
        """Return the config of the model that was reshaped."""
        plain = {k: v for k, v in self.source.items() if k != "model_type"}
        return AutoConfig.for_model(self.source["model_type"], **plain)


class LowRankEmbedding(nn.Module):
    """An embedding as the product of a narrow table and a small matrix.

    Parameters
    ----------
    rows, rank, width : int
    padding_idx : int, optional

    References
    ----------
    .. [1] Z. Lan et al., "ALBERT", ICLR 2020: factorised embedding.
    """

    def __init__(self, rows: int, rank: int, width: int, padding_idx=None) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, rank, padding_idx)
        self.up = nn.Linear(rank, width, bias=False)
        self.padding_idx = padding_idx

    @property
    def weight(self) -> torch.Tensor:
        """The table that it stands for, shape (rows, width)."""
        return self.up(self.table.weight)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return rows, shape (..., width)."""
        return self.up(self.table(input_ids))


class ReshapedForSequenceClassification(PreTrainedModel):
    """A classifier with layers of other shapes than its source had."""

    config_class = ReshapedConfig
    base_model_prefix = "inner"
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: ReshapedConfig) -> None:
        super().__init__(config)
        source = config.source_config()
        self.inner = AutoModelForSequenceClassification.from_config(source)
        for name, (rows, columns) in config.linears.items():
            old = self.inner.get_submodule(name)
            new = nn.Linear(columns, rows, bias=old.bias is not None)
            replace_module(self.inner, name, new)
        for name, rank in config.ranks.items():
            old = self.inner.get_submodule(name)
            narrow = LowRankEmbedding(
                old.num_embeddings, rank, old.embedding_dim, old.padding_idx
            )
            replace_module(self.inner, name, narrow)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave weights as they are: they come from a source or a file."""

    def get_input_embeddings(self) -> nn.Module:
        return self.inner.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.inner.set_input_embeddings(value)

    def forward(self, input_ids, attention_mask=None, labels=None, **options):
        """As the source's."""
        return self.inner(
            input_ids=input_ids, attention_mask=attention_mask, labels=labels, **options
        )


AutoConfig.register(ReshapedConfig.model_type, ReshapedConfig, exist_ok=True)
CONFIG_MAPPING.register("distill-reshaped", ReshapedConfig, exist_ok=True)  # earlier
AutoModelForSequenceClassification.register(
    ReshapedConfig, ReshapedForSequenceClassification, exist_ok=True
)


def replace_module(model: nn.Module, name: str, new: nn.Module) -> None:
    """Put another module in the place of that name."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, new)


def reshaped_copy(
    model: PreTrainedModel, change: Callable[[nn.Module], None]
) -> ReshapedForSequenceClassification:
    """Copy a classifier, change its layers, and remember their shapes.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier, or one that was reshaped before; not changed.
    change : callable
        Takes the copy and replaces linear layers and embeddings in it.

    Returns
    -------
    ReshapedForSequenceClassification
    """
    core = core_of(model)
    inner = copy.deepcopy(core)
    source = model.config.to_dict() if core is model else model.config.source
    change(inner)
    config = ReshapedConfig(source=source)
    with torch.device("meta"):
        plain = AutoModelForSequenceClassification.from_config(config.source_config())
    for name, module in inner.named_modules():
        if isinstance(module, LowRankEmbedding):
            config.ranks[name] = module.table.embedding_dim
        elif isinstance(module, nn.Linear) and not _inside_low_rank(inner, name):
            shape = list(module.weight.shape)
            if shape != list(plain.get_submodule(name).weight.shape):
                config.linears[name] = shape
    reshaped = ReshapedForSequenceClassification(config)
    reshaped.inner.load_state_dict(inner.state_dict())
    return reshaped.to(device_of(core)).eval()


def core_of(model: nn.Module) -> nn.Module:
    """Return the model inside one that was reshaped before, or the model."""
    return getattr(model, "inner", model)


def _inside_low_rank(model: nn.Module, name: str) -> bool:
    parent = name.rpartition(".")[0]
    return isinstance(model.get_submodule(parent), LowRankEmbedding)
