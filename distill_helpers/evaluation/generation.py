"""Let a language model write, and say how fast it does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from ..arguments import check_number, check_whole
from ..data.completions import (
    context_of,
    encode_prompts,
    end_tokens,
    pad_token,
    padded_prompts,
    until_end,
)
from ..data.encoding import device_of, to_device


@dataclass(frozen=True)
class Generations:
    """What a model wrote after some prompts.

    Attributes
    ----------
    texts : list of str
        Without the end token.
    ended : list of bool
        Whether an end token came within the limit; a text that did not end was
        cut, and what looks like its answer may be half of one.
    tokens : int
        Written in all, end tokens included.
    seconds : float
        On this machine, reading the prompts included.
    """

    texts: list[str]
    ended: list[bool]
    tokens: int
    seconds: float

    @property
    def whole(self) -> list[str | None]:
        """The texts, None in place of one that did not end."""
        return [text if end else None for text, end in zip(self.texts, self.ended)]

    @property
    def tokens_per_second(self) -> float:
        """New tokens in a second, all texts together."""
        return self.tokens / self.seconds


def generate_texts(
    model,
    tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 64,
    temperature: float = 0.0,
    batch_size: int = 128,
    seed: int | None = 0,
    progress: bool = False,
) -> Generations:
    """Let a causal language model go on from prompts.

    Parameters
    ----------
    model : PreTrainedModel
        With ``generate``; on any device.
    tokenizer : PreTrainedTokenizerBase
        The model's.
    prompts : sequence of str
    max_new_tokens : int, default 64
        The limit; at least 1.
    temperature : float, default 0
        0 takes the likeliest token each time; else tokens are drawn from all of the
        vocabulary.
    batch_size : int, default 128
        Prompts at once, like lengths side by side.
    seed : int or None, default 0
        Draws the tokens, and PyTorch's own random state is left as it was; None
        draws from that state.
    progress : bool, default False
        Show a bar.

    Returns
    -------
    Generations
        In the order of the prompts.

    Raises
    ------
    TooLongError
        If a prompt and `max_new_tokens` go beyond the model's context.
    TypeError, ValueError
        If there is no prompt, or a number is out of range.
    """
    check_whole("max_new_tokens", max_new_tokens, least=1)
    check_whole("batch_size", batch_size, least=1)
    check_number("temperature", temperature, least=0)
    ids = encode_prompts(tokenizer, prompts, context_of(model), max_new_tokens)
    pad, ends, device = (
        pad_token(tokenizer),
        end_tokens(model, tokenizer),
        device_of(model),
    )
    written: list[list[int]] = [[] for _ in ids]
    start = time.perf_counter()
    with writing(model, seed):
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        for places in tqdm(
            list(_pieces(order, batch_size)), "writing", disable=not progress
        ):
            batch = padded_prompts([ids[i] for i in places], pad)
            made = model.generate(
                **to_device(batch, device),
                **sampling(temperature, max_new_tokens, pad, ends),
            )
            new = made[:, batch["input_ids"].shape[1] :].tolist()
            for place, row in zip(places, new):
                written[place] = until_end(row, ends)
    seconds = time.perf_counter() - start
    ended = [row[-1] in ends for row in written]
    bodies = [row[:-1] if end else row for row, end in zip(written, ended)]
    texts = [tokenizer.decode(row, skip_special_tokens=True) for row in bodies]
    return Generations(texts, ended, sum(map(len, written)), seconds)


def sampling(
    temperature: float, max_new_tokens: int, pad: int, ends: Sequence[int]
) -> dict:
    """Return the options of ``generate`` that draw from the plain distribution.

    A model's own ``generation_config`` may cut it off (``top_k``, ``top_p``): then
    the texts would be no samples of what the losses compare.
    """
    options = {
        "max_new_tokens": max_new_tokens,
        "pad_token_id": pad,
        "eos_token_id": list(ends),
        "num_beams": 1,
        "repetition_penalty": 1.0,
    }
    if temperature == 0:
        return options | {
            "do_sample": False,
            "temperature": None,
            "top_k": None,
            "top_p": None,
        }
    return options | {
        "do_sample": True,
        "temperature": float(temperature),
        "top_k": 0,
        "top_p": 1.0,
    }


@contextmanager
def writing(model, seed: int | None = None) -> Iterator[None]:
    """No dropout and no gradient while a model writes; then all is as it was.

    Parameters
    ----------
    model : PreTrainedModel
    seed : int, optional
        Draws the tokens, and PyTorch's random state is left as it was. By default
        they are drawn from that state.
    """
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), _seeded(device_of(model), seed):
            yield
    finally:
        model.train(training)


@contextmanager
def _seeded(device: torch.device, seed: int | None) -> Iterator[None]:
    if seed is None:
        yield
        return
    kept = {"device_type": device.type} if device.type in ("cuda", "xpu") else {}
    with torch.random.fork_rng(devices=[device] if kept else [], **kept):
        torch.manual_seed(seed)
        yield


def _pieces(order: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
