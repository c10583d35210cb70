"""The lower layers of an encoder run once; what they say is kept, piece by piece.

Layers that are not trained give the same hidden states in every epoch and in every
fold. So each text goes through them once. The states are written in pieces of some
hundred texts, each whole or not there: a second call goes on where the first was
stopped, and one that comes with more texts adds to what is there.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tqdm.auto import tqdm

from ..arguments import check_whole
from ..data.cleaning import check_texts, text_hash
from ..data.encoding import PAD_MULTIPLE, device_of, length_grouped, to_device
from ..files import made_folder, whole_file
from .frozen import FrozenEncoder, tokenizer_revision
from .live import weights_revision
from .windows import tokenize_windows, window_batch


class OtherPiecesError(ValueError):
    """What lies in a folder was made from something else."""


@dataclass(frozen=True)
class SplitEncoder:
    """An encoder in two: layers that stay as they are, and layers to be trained.

    Attributes
    ----------
    lower : PreTrainedModel
        Token ids in, hidden states out.
    upper : Module
        The encoder's further layers; hidden states in and out. Its parameters ask
        for gradients, but for what both parts share, such as MPNet's table of
        relative positions.
    tokenizer : PreTrainedTokenizerBase
    max_length : int
        Tokens of a window.
    """

    lower: torch.nn.Module
    upper: torch.nn.Module
    tokenizer: object
    max_length: int

    @property
    def facts(self) -> dict[str, str]:
        """What the lower layers' hidden states depend on, besides the texts."""
        return {
            "lower layers": weights_revision(self.lower),
            "tokenizer": tokenizer_revision(self.tokenizer),
            "max_length": str(self.max_length),
        }


def split_encoder(name: str | Path, frozen: int) -> SplitEncoder:
    """Load a pretrained encoder and split it after its first layers.

    Parameters
    ----------
    name : str or Path
        A folder or a Hub id of an encoder such as BERT, RoBERTa or MPNet.
    frozen : int
        Layers of the lower part; 0 leaves it the embeddings alone.

    Returns
    -------
    SplitEncoder

    Raises
    ------
    OSError
        If there is no such encoder.
    ValueError
        If it cannot be split, or has no more than `frozen` layers.
    """
    loaded = FrozenEncoder(name, progress=False)
    model = loaded.model
    layers = getattr(getattr(model, "encoder", None), "layer", None)
    if not isinstance(layers, torch.nn.ModuleList):
        raise ValueError(
            f"encoder={str(name)!r} is a {type(model).__name__}, whose layers do not"
            " stand in encoder.layer as those of BERT and its like do"
        )
    check_whole("frozen", frozen, least=0, most=len(layers) - 1)
    model.set_attn_implementation("eager")  # it trains faster on a CPU
    model.pooler = None
    model.encoder.layer = layers[:frozen]
    upper = copy.deepcopy(model.encoder)
    upper.layer = layers[frozen:]
    model.requires_grad_(False)
    upper.requires_grad_(False)
    upper.layer.requires_grad_(True)
    return SplitEncoder(model, upper, loaded.tokenizer, loaded.max_length)


def lower_states(encoder: SplitEncoder, windows: Sequence) -> list[torch.Tensor]:
    """Return what the lower layers make of each window, without padding.

    Parameters
    ----------
    encoder : SplitEncoder
    windows : sequence of sequence of int
        Token ids, special tokens included.

    Returns
    -------
    list of Tensor
        Bfloat16, shape (tokens, width) each.
    """
    device = device_of(encoder.lower)
    pad_id = encoder.tokenizer.pad_token_id
    batch = to_device(window_batch([[window] for window in windows], pad_id), device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        hidden = encoder.lower(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state
    hidden = hidden.bfloat16().cpu()
    return [row[: len(window)].clone() for row, window in zip(hidden, windows)]


def pad_states(texts: Sequence[Sequence[torch.Tensor]]) -> tuple[torch.Tensor, ...]:
    """Stack the windows of several texts into one padded batch.

    Parameters
    ----------
    texts : sequence of sequence of Tensor
        Text, window: states of shape (tokens, width).

    Returns
    -------
    hidden : Tensor, shape (windows, length, width)
    mask : Tensor of bool, shape (windows, length)
        False on padding.
    owners : Tensor of int64, shape (windows,)
        Whose window each is, counted within `texts`.
    """
    windows = [window for text in texts for window in text]
    longest = max(len(window) for window in windows)
    length = -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE
    hidden = windows[0].new_zeros(len(windows), length, windows[0].shape[-1])
    mask = torch.zeros(len(windows), length, dtype=torch.bool)
    for place, window in enumerate(windows):
        hidden[place, : len(window)] = window
        mask[place, : len(window)] = True
    owners = [i for i, text in enumerate(texts) for _ in text]
    return hidden, mask, torch.tensor(owners)


@dataclass(frozen=True)
class KeptStates:
    """Hidden states of many texts, read from their pieces when they are asked for.

    Attributes
    ----------
    files : tuple of safe_open
        The pieces: mapped, not read.
    piece : int
        Texts in each file but the last.
    keys : list of str
        Hash of each text.
    lengths : list of list of int
        Text, window: tokens.
    facts : dict
        What the states were made from, besides the texts.
    seconds : float
        CPU seconds that making them took, over all calls.
    """

    files: tuple
    piece: int
    keys: list[str]
    lengths: list[list[int]]
    facts: dict[str, str]
    seconds: float

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: Sequence[int]) -> tuple[torch.Tensor, ...]:
        """Return the states of some texts, as :func:`pad_states` does."""
        return pad_states([self._windows(row) for row in rows])

    def _windows(self, row: int) -> list[torch.Tensor]:
        number, inside = divmod(row, self.piece)
        before = self.lengths[number * self.piece : number * self.piece + inside]
        start = sum(map(sum, before))
        read = self.files[number].get_slice("hidden")[
            start : start + sum(self.lengths[row])
        ]
        return list(read.split(self.lengths[row]))


def keep_lower(
    folder: str | Path,
    encoder: SplitEncoder,
    texts: Sequence[str],
    *,
    piece: int = 250,
    batch_size: int = 16,
    progress: bool = True,
) -> KeptStates:
    """Let the lower layers read texts once, and keep what they say.

    Parameters
    ----------
    folder : str or Path
        Where the pieces lie. What is there is taken, what lacks is made.
    encoder : SplitEncoder
    texts : sequence of str
        More than in an earlier call may be given, if they begin with those, and
        those filled whole pieces.
    piece : int, default 250
        Texts in a file: what an interruption can cost.
    batch_size : int, default 16
        Windows in a forward pass.
    progress : bool, default True

    Returns
    -------
    KeptStates
        A token takes two bytes for each of the encoder's columns.

    Raises
    ------
    OtherPiecesError
        If a piece in the folder is of another encoder, another setting or other
        texts; nothing is written then.
    """
    check_texts(texts)
    check_whole("piece", piece, least=1)
    folder, facts = made_folder(folder, "kept states"), encoder.facts
    starts = range(0, len(texts), piece)
    files = tuple(folder / f"states-{n:04d}.safetensors" for n in range(len(starts)))
    asked = [[text_hash(text) for text in texts[s : s + piece]] for s in starts]
    wanted = [facts | {"texts": digest_of(keys)} for keys in asked]
    for file, of_piece in zip(files, wanted):
        if file.is_file():
            check_made_from(file, of_piece)
    todo = [n for n, file in enumerate(files) if not file.is_file()]
    for n in tqdm(todo, "lower layers", disable=not progress):
        begun = time.process_time()
        own = texts[starts[n] : starts[n] + piece]
        tensors = _states_of(encoder, own, batch_size)
        spent = {"seconds": f"{time.process_time() - begun:.3f}"}
        with whole_file(files[n]) as temporary:
            save_file(tensors, temporary, wanted[n] | spent)
    opened = tuple(safe_open(file, "pt") for file in files)
    lengths = [of_text for file in opened for of_text in _lengths(file)]
    seconds = sum(float(file.metadata()["seconds"]) for file in opened)
    keys = [key for of_piece in asked for key in of_piece]
    return KeptStates(opened, piece, keys, lengths, facts, seconds)


def _states_of(encoder: SplitEncoder, texts, batch_size: int) -> dict:
    reviews = tokenize_windows(encoder.tokenizer, texts, encoder.max_length)
    windows = [window for review in reviews for window in review]
    states: list = [None] * len(windows)
    for rows in length_grouped([len(window) for window in windows], batch_size):
        for row, found in zip(rows, lower_states(encoder, [windows[r] for r in rows])):
            states[row] = found
    return {
        "hidden": torch.cat(states),
        "window_lengths": torch.tensor([len(window) for window in windows]),
        "windows": torch.tensor([len(review) for review in reviews]),
    }


def _lengths(file) -> list[list[int]]:
    windows = file.get_tensor("window_lengths")
    return [w.tolist() for w in windows.split(file.get_tensor("windows").tolist())]


def digest_of(parts) -> str:
    """Return 16 hexadecimal digits that stand for plain data."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def check_made_from(file: Path, now: Mapping[str, str]) -> dict[str, str]:
    """Return what a file says of itself; refuse one that was made otherwise.

    Raises
    ------
    OtherPiecesError
        The message names what differs, then and now.
    """
    with safe_open(file, "np") as opened:
        then = opened.metadata() or {}
    apart = [name for name, value in now.items() if then.get(name) != value]
    if apart:
        told = "; ".join(f"{n} {then.get(n)!r}, now {now[n]!r}" for n in apart)
        raise OtherPiecesError(
            f"{str(file)!r} was made from something else: {told}. Go on with what it"
            " was begun with, or name another folder"
        )
    return then
