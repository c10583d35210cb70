"""Convolutions over words, pooled."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from ..arguments import check_number
from .layers import StudentModel, at_least_one_token, mask_of
from .spec import Recipe, StudentSpec, model_type
from .splitting import by_pieces

POOLINGS = ("max", "mean", "attention")
"""How what the filters found is brought from all words of a text to one number."""
PLACES = 16
"""Parts of a text, from its first words to its last, that attention tells apart."""


class TextCNNConfig(PreTrainedConfig):
    """Config of :class:`TextCNNForSequenceClassification`.

    Parameters
    ----------
    vocab_size, embedding_size, filters : int
        Rows and columns of the embedding, and filters of each width.
    widths : sequence of int
        Words that a filter sees at once.
    dropout : float
        Of the embedding and of what is pooled, within [0, 1).
    pooling : sequence of str, default ("max", "mean")
        One or more of :data:`POOLINGS`, each once.
    word_dropout : float, default 0
        Share of a text's words that training leaves out [1]_, in place of single
        numbers of the embedding; within [0, 0.9]. At 0, `dropout` drops those.
    pad_token_id : int
    **kwargs
        For ``PreTrainedConfig``.

    Raises
    ------
    ValueError
        If `pooling` is empty or holds another name, or one twice, or `word_dropout`
        is out of range.

    References
    ----------
    .. [1] M. Iyyer et al., "Deep unordered composition rivals syntactic methods for
       text classification", ACL 2015.

    Examples
    --------
    >>> TextCNNConfig(pooling=["max", "attention"]).pooling
    ['max', 'attention']
    """

    model_type = model_type("text-cnn")

    def __init__(
        self,
        vocab_size=12_000,
        embedding_size=64,
        filters=128,
        widths=(1, 2, 3),
        dropout=0.2,
        pooling=POOLINGS[:2],
        word_dropout=0.0,
        pad_token_id=0,
        **kwargs,
    ):
        _check_pooling(pooling)
        check_number("word_dropout", word_dropout, least=0, most=0.9)
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.filters = filters
        self.widths = list(widths)
        self.dropout = dropout
        self.pooling = list(pooling)
        self.word_dropout = word_dropout
        super().__init__(pad_token_id=pad_token_id, **kwargs)


def _check_pooling(pooling: Sequence[str]) -> None:
    names = [pooling] if isinstance(pooling, str) else list(pooling)
    odd = isinstance(pooling, str) or not names or len(set(names)) < len(names)
    if odd or not set(names) <= set(POOLINGS):
        raise ValueError(
            f"pooling must be a list of one or more of {', '.join(POOLINGS)}, each"
            f" once, got {pooling!r}"
        )


class AttentionPooling(nn.Module):
    """Weigh the words of a text by what all filters found there, and by where it is.

    A word's score is a weighted sum of the filters' features at it plus a number for
    the part of the text it stands in; the softmax of the scores over a text are the
    weights of a mean [1]_. All of it begins at zero, as the plain mean.

    Parameters
    ----------
    widths : int
        Kinds of filters.
    filters : int
        Of each kind.

    References
    ----------
    .. [1] Z. Lin et al., "A structured self-attentive sentence embedding", ICLR 2017.
    """

    def __init__(self, widths: int, filters: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(widths, filters))
        self.places = nn.Parameter(torch.zeros(PLACES))

    def forward(self, features: Sequence[torch.Tensor], mask) -> torch.Tensor:
        """Return weights of shape (batch, length); those of a text sum to one.

        Parameters
        ----------
        features : sequence of Tensor, each of shape (batch, filters, length)
            One for each width.
        mask : Tensor of bool, shape (batch, length)
        """
        scores = sum(
            torch.matmul(query.to(found.dtype), found)
            for query, found in zip(self.queries, features)
        )
        before = mask.long().cumsum(1) - 1
        counts = mask.sum(1, keepdim=True).clamp(min=1)
        part = (before.clamp(min=0) * PLACES // counts).clamp(max=PLACES - 1)
        scores = scores.float() + self.places.float()[part]
        lowest = torch.finfo(scores.dtype).min
        return scores.masked_fill(~mask, lowest).softmax(1) * mask


class TextCNNForSequenceClassification(StudentModel):
    """Convolutions over word pieces, pooled by maximum and by mean.

    With ``pooling=["max", "mean", "attention"]`` a third number for each filter says
    what it found in the words that matter (:class:`AttentionPooling`).

    References
    ----------
    .. [1] Y. Kim, "Convolutional neural networks for sentence
       classification", EMNLP 2014.
    """

    config_class = TextCNNConfig

    def __init__(self, config: TextCNNConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(
            config.vocab_size, config.embedding_size, config.pad_token_id
        )
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.embedding_size, config.filters, width)
            for width in config.widths
        )
        self.dropout = nn.Dropout(config.dropout)
        if "attention" in config.pooling:
            self.attention = AttentionPooling(len(config.widths), config.filters)
        pooled = len(config.pooling) * config.filters * len(config.widths)
        self.classifier = nn.Linear(pooled, config.num_labels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embedding = value

    def forward(
        self, input_ids, attention_mask=None, labels=None, **_
    ) -> SequenceClassifierOutput:
        """Return logits of shape (batch, classes)."""
        pad_id = self.config.pad_token_id
        input_ids, attention_mask = at_least_one_token(
            input_ids, attention_mask, pad_id
        )
        mask = mask_of(input_ids, attention_mask, pad_id)
        embedded = self._embedded(input_ids, mask).transpose(1, 2)
        features = self._features(embedded, mask)
        if "attention" in self.config.pooling:
            pooled = self._attended(list(features), mask)
        else:
            pooled = [one for found in features for one in self._pooled(found, mask)]
        logits = self.classifier(self.dropout(torch.cat(pooled, dim=1)))
        return self._output(logits, labels)

    def _embedded(self, input_ids, mask) -> torch.Tensor:
        embedded = self.embedding(input_ids) * mask[..., None]
        share = self.config.word_dropout
        if not share:
            return self.dropout(embedded)
        if not self.training:
            return embedded
        kept = torch.rand(mask.shape, device=mask.device) >= share
        return embedded * (kept / (1 - share))[..., None]

    def _features(self, embedded, mask) -> Iterable[torch.Tensor]:
        """Give, width by width, what the filters found: (batch, filters, length)."""
        for width, convolution in zip(self.config.widths, self.convolutions):
            padded = F.pad(embedded, (0, width - 1))
            yield F.relu(convolution(padded)) * mask[:, None]

    def _pooled(self, features, mask) -> Iterable[torch.Tensor]:
        """Give, in the order of ``pooling``, features of shape (batch, filters)."""
        for name in self.config.pooling:
            if name == "max":
                yield features.amax(dim=2)
            else:
                counts = mask.sum(1, keepdim=True).clamp(min=1)
                yield features.sum(dim=2) / counts

    def _attended(self, features: Sequence[torch.Tensor], mask) -> list[torch.Tensor]:
        """Pool as ``pooling`` says; both means are one product with their weights."""
        counts = mask.sum(1, keepdim=True).clamp(min=1)
        weights = torch.stack([mask / counts, self.attention(features, mask)], dim=2)
        pooled = []
        for found in features:
            means = torch.bmm(found, weights.to(found.dtype))
            named = {"mean": means[..., 0], "attention": means[..., 1]}
            if "max" in self.config.pooling:
                # An index makes the way back cheaper; a graph wants none.
                highest = found.max(dim=2).values if self.training else found.amax(2)
                named["max"] = highest
            pooled += [named[name] for name in self.config.pooling]
        return pooled


def widened(
    cnn: TextCNNForSequenceClassification, **changes
) -> TextCNNForSequenceClassification:
    """Return a CNN that pools in more ways and answers, at first, as `cnn` does.

    Parameters
    ----------
    cnn : TextCNNForSequenceClassification
        Left as it is.
    **changes
        Of its config: ``pooling``, which must hold every name that `cnn` pools by,
        ``dropout``, ``word_dropout``.

    Returns
    -------
    TextCNNForSequenceClassification
        In evaluation mode. What is new counts nothing yet: its part of the classifier
        is zero.

    Raises
    ------
    ValueError
        If a way of pooling would get lost, or something else shall change.
    """
    allowed = ("pooling", "dropout", "word_dropout")
    old, other = cnn.config.pooling, sorted(set(changes) - set(allowed))
    if other:
        raise ValueError(f"only {', '.join(allowed)} may change, got {other}")
    config = copy.deepcopy(cnn.config)
    config.update(changes)
    config = TextCNNConfig.from_dict(config.to_dict())  # which looks at what it gets
    if not set(old) <= set(config.pooling):
        raise ValueError(
            f"pooling must hold all of {old}, as the CNN has them, got {config.pooling}"
        )
    wide = TextCNNForSequenceClassification(config)
    state = wide.state_dict() | cnn.state_dict()
    blocks = (len(config.widths), -1, config.filters)
    was = cnn.classifier.weight.detach().unflatten(1, blocks)
    now = was.new_zeros(len(was), blocks[0], len(config.pooling), config.filters)
    now[:, :, [config.pooling.index(name) for name in old]] = was
    state["classifier.weight"] = now.flatten(1)
    wide.load_state_dict(state)
    return wide.eval()


def mean_of(
    cnns: Sequence[TextCNNForSequenceClassification],
) -> TextCNNForSequenceClassification:
    """Return a CNN whose weights are the means of those of several.

    Meant for the states of one student at the ends of several rounds of training:
    between them lies a place that is flatter than each, and what it answers depends
    less on the texts that were read last [1]_.

    Parameters
    ----------
    cnns : sequence of TextCNNForSequenceClassification
        One or more of one shape, which came from one another; they are left as they
        are.

    Returns
    -------
    TextCNNForSequenceClassification
        In evaluation mode.

    Raises
    ------
    ValueError
        If there is none, or their shapes differ.

    References
    ----------
    .. [1] P. Izmailov et al., "Averaging weights leads to wider optima and better
       generalization", UAI 2018.
    """
    states = [cnn.state_dict() for cnn in cnns]
    shapes = [{name: tuple(v.shape) for name, v in state.items()} for state in states]
    if not states or any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            "cnns must be one or more CNNs of one shape, got"
            f" {len(states)} of {len({str(shape) for shape in shapes})} shapes"
        )
    mean = copy.deepcopy(cnns[0])
    mean.load_state_dict(
        {name: torch.stack([s[name] for s in states]).mean(0) for name in shapes[0]}
    )
    return mean.eval()


SPEC = StudentSpec(
    name="text-cnn",
    model=TextCNNForSequenceClassification,
    recipe=Recipe(learning_rate=2e-3, batch_size=32),
    split=by_pieces,
    vocab_size=12_000,
    max_length=256,
    width_field="filters",
)
