"""A student with two senses: words that look at a picture through cross-attention."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig
from transformers.modeling_outputs import ModelOutput

from ..data.cards import ANSWER_NAMES, CARD_LENGTH, CARD_WORDS, CELLS
from ..data.labels import NO_LABEL
from .layers import StudentModel
from .spec import model_type

TYPED_PLACES = slice(1, 1 + CELLS)
"""Where the typed copy stands in a card's tokens."""
VOCABULARY = len(CARD_WORDS) + 2
"""Words, one for padding and one that answers."""
LOOKED_AT = CELLS + 1
"""What a word may look at: the cells, and last a token for "no picture"."""


class CrossAttentionConfig(PreTrainedConfig):
    """Config of :class:`CrossAttentionForCards`."""

    model_type = model_type("cross-attention")

    def __init__(
        self,
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        rows=2,
        columns=3,
        patch_side=8,
        max_position_embeddings=CARD_LENGTH,
        pad_token_id=0,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.rows, self.columns, self.patch_side = rows, columns, patch_side
        self.max_position_embeddings = max_position_embeddings
        super().__init__(pad_token_id=pad_token_id, **kwargs)

    @property
    def cells(self) -> int:
        """How many cells a picture has."""
        return self.rows * self.columns


@dataclass
class CardOutput(ModelOutput):
    """What a reader of cards returns.

    Attributes
    ----------
    loss : Tensor, shape (), optional
    logits : Tensor, shape (batch, classes)
    hidden_states : tuple of Tensor, shape (batch, words, width), optional
        States of the answer token and of the question's words: as they come in, and
        behind each block.
    cross_attentions : tuple of Tensor, shape (batch, heads, words, 7), optional
        Of each block: how much the answer token and then each word of the question
        looks at each of the six cells and, last, at the token for "no picture". Each
        row sums to 1.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple | None = None
    cross_attentions: tuple | None = None


class Attention(nn.Module):
    """Scaled dot-product attention with several heads [1]_, which keeps its map.

    Parameters
    ----------
    width, heads : int

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017,
       arXiv:1706.03762.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking, asked, allowed):
        """Return new states (batch, queries, width) and maps (batch, heads, q, k).

        Parameters
        ----------
        asking : Tensor, shape (batch, queries, width)
        asked : Tensor, shape (batch, keys, width)
        allowed : Tensor of bool, shape (batch, 1, 1, keys)
        """
        query, key, value = self._parts(asking, asked)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        maps = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(-1)
        return self._joined(maps @ value), maps

    def without_map(self, asking, asked, allowed):
        """Return the new states alone: the same by a kernel that keeps no map."""
        query, key, value = self._parts(asking, asked)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        return self._joined(seen)

    def _parts(self, asking, asked):
        return [
            self._split(states)
            for states in (self.query(asking), *self.key_value(asked).chunk(2, -1))
        ]

    def _split(self, states):
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _joined(self, states):
        return self.out(states.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Words that look at each other, then at the picture, then think.

    The typed digits do not look: they are looked at.
    """

    def __init__(self, config: CrossAttentionConfig) -> None:
        super().__init__()
        width, heads = config.hidden_size, config.num_attention_heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.among_words = Attention(width, heads)
        self.at_picture = Attention(width, heads)
        self.think = nn.Sequential(
            nn.Linear(width, config.intermediate_size),
            nn.GELU(),
            nn.Linear(config.intermediate_size, width),
        )

    def forward(self, words, cells, word_mask, cell_mask, looking, last, with_map):
        """Return the words' new states, and where they looked, or None for that.

        The first `looking` words look. Behind the `last` block nobody asks for the
        states of the others, so they are left out.
        """
        normed = self.norms[0](words)
        asking = slice(0, looking if last else None)
        heard = self.among_words.without_map(normed[:, asking], normed, word_mask)
        words = words[:, asking] + heard
        lookers, others = words[:, :looking], words[:, looking:]
        at_cells = self.norms[1](lookers), cells, cell_mask
        if with_map:
            seen, maps = self.at_picture(*at_cells)
        else:
            seen, maps = self.at_picture.without_map(*at_cells), None
        words = lookers + seen if last else torch.cat([lookers + seen, others], 1)
        return words + self.think(self.norms[2](words)), maps


class CrossAttentionForCards(StudentModel):
    """Answer a question about a card from its typed copy and its picture.

    The typed digits and the question are words that look at each other in every block.
    The token that answers and the words of the question then look, through
    cross-attention, at one patch for each cell of the picture.
    A cell and the typed digit for it share the embeddings of their row and column. A
    picture of zeros is one that is missing: the words then see one token that says so.
    """

    config_class = CrossAttentionConfig

    def __init__(self, config: CrossAttentionConfig) -> None:
        super().__init__(config)
        width = config.hidden_size
        self.words = nn.Embedding(config.vocab_size, width, config.pad_token_id)
        self.order = nn.Embedding(config.max_position_embeddings, width)
        self.row = nn.Embedding(config.rows, width)
        self.column = nn.Embedding(config.columns, width)
        self.patch = nn.Sequential(
            nn.Linear(config.patch_side**2, config.intermediate_size),
            nn.GELU(),
            nn.Linear(config.intermediate_size, width),
        )
        self.no_picture = nn.Parameter(torch.zeros(width))
        self.cell_norm = nn.LayerNorm(width)
        blocks = range(config.num_hidden_layers)
        self.blocks = nn.ModuleList(Block(config) for _ in blocks)
        self.last_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, config.num_labels)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.5)

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.words = value

    def forward(
        self,
        input_ids,
        pixel_values,
        labels=None,
        output_attentions=False,
        output_hidden_states=False,
    ) -> CardOutput:
        """Answer a batch of cards.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (batch, length)
            From :func:`~distill_helpers.students.card_reading.card_ids`.
        pixel_values : Tensor, shape (batch, height, width)
            All zeros where a picture is missing.
        labels : Tensor of int64, shape (batch,), optional
            -100 for none.
        output_attentions, output_hidden_states : bool

        Returns
        -------
        CardOutput

        Raises
        ------
        ValueError
            If the pictures are of another size, or there are not as many as texts.
        """
        input_ids = self._without_padding(input_ids)
        self._check(input_ids, pixel_values)
        input_ids, looking = _typed_last(input_ids), input_ids.shape[1] - CELLS
        word_mask = (input_ids != self.config.pad_token_id)[:, None, None]
        words, (cells, cell_mask) = self._read(input_ids), self._look(pixel_values)
        states, maps = [words[:, :looking]], []
        around = cells, word_mask, cell_mask
        for block in self.blocks:
            last = block is self.blocks[-1]
            # The answer is read from the first word: others look for who asks to see.
            shown = output_attentions or output_hidden_states or not last
            words, map_ = block(
                words, *around, looking if shown else 1, last, output_attentions
            )
            states.append(words[:, :looking])
            maps.append(map_)
        logits = self.classifier(self.last_norm(words[:, 0]))
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits, labels, ignore_index=NO_LABEL)
        return CardOutput(
            loss,
            logits,
            tuple(states) if output_hidden_states else None,
            tuple(maps) if output_attentions else None,
        )

    def _check(self, input_ids, pixel_values) -> None:
        config = self.config
        side = config.patch_side
        size = (config.rows * side, config.columns * side)
        if pixel_values.ndim != 3 or tuple(pixel_values.shape[1:]) != size:
            raise ValueError(
                f"pixel_values must have the shape (batch, {size[0]}, {size[1]}), got"
                f" {tuple(pixel_values.shape)}: cut or scale the pictures first"
            )
        if input_ids.shape[1] < TYPED_PLACES.stop:
            raise ValueError(
                f"input_ids must have at least {TYPED_PLACES.stop} tokens, the one that"
                f" answers and the typed copy, got {input_ids.shape[1]}"
            )
        if input_ids.shape[0] != pixel_values.shape[0]:
            raise ValueError(
                "input_ids and pixel_values must hold as many cards, got"
                f" {len(input_ids)} texts and {len(pixel_values)} pictures"
            )

    def _without_padding(self, input_ids):
        """Cut off what a collator padded beyond the longest card."""
        longest = self.config.max_position_embeddings
        if input_ids.shape[1] <= longest:
            return input_ids
        if (input_ids[:, longest:] != self.config.pad_token_id).any():
            raise ValueError(
                f"input_ids must have at most {longest} tokens, got"
                f" {input_ids.shape[1]}"
            )
        return input_ids[:, :longest]

    def _grid(self):
        """Embeddings of all cells' rows and columns, shape (cells, width)."""
        grid = self.row.weight[:, None] + self.column.weight[None]
        return grid.flatten(0, 1)

    def _read(self, input_ids):
        """Embed words whose typed digits stand last."""
        length = input_ids.shape[1]
        order = _typed_last(self.order.weight[None, :length])[0]
        grid = F.pad(self._grid(), (0, 0, length - CELLS, 0))
        return self.words(input_ids) + (order + grid)

    def _look(self, pixel_values):
        rows, columns = self.config.rows, self.config.columns
        side = self.config.patch_side
        grid = pixel_values.reshape(-1, rows, side, columns, side).transpose(2, 3)
        patches = grid.reshape(-1, rows * columns, side * side)
        cells = self.patch(patches - 0.3) + self._grid()
        nothing = self.no_picture.expand(cells.shape[0], 1, -1)
        seen = (pixel_values != 0).flatten(1).any(1)[:, None]
        allowed = torch.cat([seen.expand(-1, rows * columns), torch.ones_like(seen)], 1)
        return self.cell_norm(torch.cat([cells, nothing], 1)), allowed[:, None, None]


def _typed_last(values):
    """Put what belongs to the typed digits behind the other words, (batch, length, ...).

    So those that look are a slice. To attention the order is all the same.
    """
    start, stop = TYPED_PLACES.start, TYPED_PLACES.stop
    return torch.cat([values[:, :start], values[:, stop:], values[:, start:stop]], 1)


def build_card_student(seed: int = 0, **shape) -> CrossAttentionForCards:
    """Make an untrained reader of cards.

    Parameters
    ----------
    seed : int, default 0
        Draws the first weights.
    **shape
        Fields of :class:`CrossAttentionConfig`, such as ``hidden_size=64``.

    Returns
    -------
    CrossAttentionForCards

    Examples
    --------
    >>> build_card_student().num_parameters() < 60_000
    True
    """
    names = dict(enumerate(ANSWER_NAMES))
    config = CrossAttentionConfig(
        id2label=names, label2id={name: i for i, name in names.items()}, **shape
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CrossAttentionForCards(config)
