"""A small language model that writes, its tokeniser, and batches for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from ..arguments import check_number, check_whole
from ..data.cleaning import check_texts
from ..data.completions import completion_batch, encode_completions, pad_token
from .splitting import PAD, UNKNOWN, WORD_START

END = "[END]"
_WORDS = rf"{WORD_START}?\d|{WORD_START}?[^\W\d]+|{WORD_START}?[^\w{WORD_START}]"
"""One digit, one word or one sign, with the space before it."""


def word_tokenizer(
    texts: Sequence[str], max_length: int = 256
) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of words, single digits and single signs.

    Numbers are read digit by digit, as sums are done; the space before a word is
    part of it, so that decoding gives the text back.

    Parameters
    ----------
    texts : sequence of str
        Every word that occurs gets a token; a word that does not is unknown ever
        after, such as a table's name that was never seen.
    max_length : int, default 256
        Tokens that the student reads.

    Returns
    -------
    PreTrainedTokenizerFast
        With the tokens ``[PAD]``, ``[UNK]`` and ``[END]``; it pads on the left, as
        texts that are written on need it.

    Raises
    ------
    TypeError, ValueError
        If there is no text, or it is one str, or `max_length` is below 2.

    Examples
    --------
    >>> tokenizer = word_tokenizer(["12 + 7 = 19"])
    >>> ids = tokenizer("17 + 2").input_ids
    >>> len(ids), tokenizer.decode(ids)
    (4, '17 + 2')
    """
    check_texts(texts)
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    check_whole("max_length", max_length, least=2)
    backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always"),
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
        ]
    )
    backend.decoder = decoders.Metaspace()
    digits = [f"{start}{digit}" for start in ("", WORD_START) for digit in range(10)]
    trainer = trainers.WordLevelTrainer(
        vocab_size=len(digits) + sum(len(text) for text in texts) + 3,
        min_frequency=1,
        special_tokens=[PAD, UNKNOWN, END],
        show_progress=False,
    )
    # Every digit at the beginning of a number and inside of one.
    backend.train_from_iterator([*texts, "0 1 2 3 4 5 6 7 8 9", "10123456789"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        model_max_length=max_length,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def tiny_causal_lm(
    tokenizer,
    *,
    width: int = 64,
    layers: int = 4,
    heads: int = 4,
    context: int | None = None,
    initializer_range: float = 0.02,
    seed: int = 0,
) -> LlamaForCausalLM:
    """Build an untrained language model of the LLaMA kind.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        Whose vocabulary it writes; with a padding and an end token.
    width : int, default 64
        Of the hidden states; a multiple of twice the heads. The gated feed-forward
        layers are 8/3 as wide, input and output embedding are one.
    layers, heads : int, default 4
    context : int, optional
        Tokens that it reads; by default the tokeniser's.
    initializer_range : float, default 0.02
        Standard deviation of the first weights; above 0. A narrow model begins to
        learn sooner with about ``width ** -0.5``.
    seed : int, default 0
        Draws the weights.

    Returns
    -------
    LlamaForCausalLM

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the tokeniser lacks a token.

    References
    ----------
    .. [1] H. Touvron et al., "LLaMA", 2023, arXiv:2302.13971.
    """
    for name, value in (("width", width), ("layers", layers), ("heads", heads)):
        check_whole(name, value, least=1)
    if width % (2 * heads):
        raise ValueError(
            f"width must be a multiple of twice the heads, {2 * heads}, got {width}"
        )
    context = check_whole("context", context, least=2, optional=True)
    check_number("initializer_range", initializer_range, above=0)
    if tokenizer.eos_token_id is None:
        raise ValueError("tokenizer has no eos_token: nothing could ever end")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width * 8 // 3 // 4 * 4,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context or tokenizer.model_max_length,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        initializer_range=initializer_range,
        pad_token_id=pad_token(tokenizer),
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        pad_token_id=config.pad_token_id, eos_token_id=config.eos_token_id
    )
    return model


class CompletionCollator:
    """Pads prompts with their completions; the prompt is read, never learned.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        With a padding and an end token.
    context : int, optional
        Tokens that the model reads; by default the tokeniser's ``model_max_length``.
    pad_to_multiple_of : int, default 8
        Lengths are rounded up to a multiple of this.

    Raises
    ------
    TypeError, ValueError
        If the tokeniser has no padding token, or a number is out of range.

    Examples
    --------
    >>> tokenizer = word_tokenizer(["1 + 2 = 3"])
    >>> collate = CompletionCollator(tokenizer, pad_to_multiple_of=1)
    >>> batch = collate([{"prompt": "1 + 2 =", "completion": "3"}])
    >>> batch["labels"][0, :4].tolist(), tokenizer.decode(batch["labels"][0, 4:])
    ([-100, -100, -100, -100], '3[END]')
    """

    def __init__(
        self, tokenizer, context: int | None = None, pad_to_multiple_of: int = 8
    ) -> None:
        self.tokenizer = tokenizer
        self.context = check_whole("context", context, least=2, optional=True)
        self.pad = pad_token(tokenizer)
        self.multiple = check_whole("pad_to_multiple_of", pad_to_multiple_of, least=1)

    def __call__(self, examples: Sequence[Mapping]) -> dict[str, torch.Tensor]:
        """Make a batch.

        Parameters
        ----------
        examples : sequence of mapping
            With ``prompt`` and ``completion`` as texts, or with ``prompt_ids`` and
            ``completion_ids`` as
            :func:`~distill_helpers.data.encode_completions` makes them.

        Returns
        -------
        dict of str to Tensor, shape (batch, length)
            ``input_ids``, ``attention_mask``, ``labels``: -100 on prompt and
            padding, the end token of each completion is learned. Padding stands on
            the right.

        Raises
        ------
        TooLongError
            If an example is longer than the context.
        """
        if "prompt_ids" not in examples[0]:
            examples = encode_completions(
                self.tokenizer,
                [e["prompt"] for e in examples],
                [e["completion"] for e in examples],
                self.context or self.tokenizer.model_max_length,
            )
        return completion_batch(examples, self.pad, self.multiple)
