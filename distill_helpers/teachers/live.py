"""A fine-tuned classifier of the Hub as the teacher."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers
from tqdm.auto import tqdm

from ..arguments import check_whole
from ..data.class_order import config_names
from ..data.cleaning import check_texts
from ..data.encoding import length_grouped
from .base import Teacher, check_answers
from .loading import load_classifier
from .windows import reading_of, tokenize_windows, window_batch, window_logits

MOSTLY = 0.5
"""Share of unknown tokens from which on a teacher cannot be said to read."""
_OF_THE_MOMENT = ("_name_or_path", "transformers_version", "use_cache")


class HuggingFaceTeacher(Teacher):
    """A live sequence classifier of the Hugging Face kind.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier. A decoder without a padding token gets the
        tokeniser's, or that of the end, in its config.
    tokenizer : PreTrainedTokenizerBase
        Its own tokeniser. It is not the student's.
    max_length : int, default 256
        Tokens in a window, special tokens included.
    batch_size : int, default 32
        Reviews in one forward pass.
    windows : bool, default True
        Read a long review in two windows, its beginning and its end, and
        average the logits. False truncates to the first window.
    pad_to_max : bool, default False
        Pad every window to `max_length` (claim C11), to show what it costs.
    progress : bool, default True
        Show a progress bar.

    Attributes
    ----------
    label_names : list of str or None
        From the config's ``id2label``.

    Raises
    ------
    ValueError
        If tokeniser and model cannot belong together, the model is no
        classifier, or `max_length` is more than it has positions for.

    Warns
    -----
    UserWarning
        If most tokens of what it is asked are unknown to its tokeniser.
    """

    def __init__(
        self,
        model,
        tokenizer,
        *,
        max_length: int = 256,
        batch_size: int = 32,
        windows: bool = True,
        pad_to_max: bool = False,
        progress: bool = True,
    ) -> None:
        _check_classifier(model)
        _check_vocabulary(model, tokenizer)
        _check_max_length(model, max_length)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.batch_size = check_whole("batch_size", batch_size, least=1)
        self.windows = windows
        self.pad_to_max = pad_to_max
        self.progress = progress
        self.num_labels = model.config.num_labels
        self.label_names = config_names(model.config)
        self._pad_id = agreed_pad_id(model, tokenizer)
        self._reading = reading_of(tokenizer)
        self._unreadable = False  # said once
        self._revision: tuple[tuple, str] | None = None

    @property
    def problem_type(self) -> str | None:  # type: ignore[override]
        """What the config says; None where it says nothing."""
        return getattr(self.model.config, "problem_type", None)

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Weights, config, tokeniser, manner of reading and library versions.

        As they are now: it follows a model that is trained further.
        """
        state = weights_state(self.model)
        if self._revision is None or self._revision[0] != state:
            self._revision = state, weights_revision(self.model)
        reading = "windows" if self.windows else "first"
        rest = _digest(_config(self.model), tokenizer_content(self.tokenizer))
        return f"{self._revision[1]}-{rest}-{self.max_length}-{reading}"

    @classmethod
    def from_pretrained(cls, name: str | Path, revision: str | None = None, **options):
        """Load a classifier from a folder or the Hub.

        Parameters
        ----------
        name : str or Path
            Folder or Hub id.
        revision : str, optional
            Branch, tag or commit on the Hub.
        **options
            Passed to the constructor.

        Returns
        -------
        HuggingFaceTeacher

        Raises
        ------
        OSError
            If there is no such folder or the Hub cannot be reached; the
            message says what to do next.
        ValueError
            If what is there is no trained classifier with its tokeniser, is
            damaged, or would run code of its own; see
            :func:`~distill_helpers.teachers.loading.load_classifier`.
        """
        return cls(*load_classifier(name, revision), **options)

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        check_texts(texts)
        reviews = tokenize_windows(
            self.tokenizer, texts, self.max_length, both=self.windows
        )
        lengths = [sum(map(len, review)) for review in reviews]
        output = np.zeros((len(reviews), self.num_labels), np.float32)
        batches = tqdm(
            length_grouped(lengths, self.batch_size),
            desc="teacher",
            disable=not self.progress or len(reviews) <= self.batch_size,
        )
        pad_to = self.max_length if self.pad_to_max else None
        for rows in batches:
            batch = window_batch(
                [reviews[i] for i in rows], self._pad_id, pad_to, self._reading
            )
            output[rows] = window_logits(self.model, batch).cpu().numpy()
        check_answers(output, len(reviews), self.num_labels)
        self._check_reads(reviews)
        return output

    def _check_reads(self, reviews: list) -> None:
        unknown = self.tokenizer.unk_token_id
        if unknown is None or unknown == self._pad_id or self._unreadable:
            return
        ids = np.concatenate([w for r in reviews for w in r] or [[0]])
        extra = sum(map(len, reviews)) * self._reading.room_taken
        share = (ids == unknown).sum() / max(1, len(ids) - extra)
        if share > MOSTLY:
            self._unreadable = True
            warnings.warn(
                f"{share:.0%} of the tokens in these {len(reviews):,} texts are"
                f" unknown ({self.tokenizer.unk_token}) to the teacher's tokeniser:"
                " it cannot read them, and its answers mean little. Is it made for"
                " another language, or is this tokeniser not its own?",
                stacklevel=3,
            )


def weights_revision(model: torch.nn.Module) -> str:
    """Name a model's weights by their content.

    Parameters
    ----------
    model : Module

    Returns
    -------
    str
        16 hexadecimal digits of SHA-256 over names, shapes and values.
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(raw.numpy().data)
    return digest.hexdigest()[:16]


def weights_state(model: torch.nn.Module) -> tuple:
    """Return what changes when a weight does; far quicker than a digest.

    Parameters
    ----------
    model : Module

    Returns
    -------
    tuple
        For each tensor how often it was written to, and the sum of its bits.
    """
    return tuple(
        (name, value._version, tuple(value.shape), value.dtype, _bits(value))
        for name, value in model.state_dict(keep_vars=True).items()
    )


def _bits(value: torch.Tensor) -> int:
    flat = value.detach().contiguous().view(-1).view(torch.uint8)
    whole = flat.numel() // 4 * 4
    total = flat[:whole].view(torch.int32).sum(dtype=torch.int64)
    return int(total + flat[whole:].sum(dtype=torch.int64))


def _config(model) -> dict:
    stored = model.config.to_dict()
    return {k: v for k, v in stored.items() if k not in _OF_THE_MOMENT}


def tokenizer_content(tokenizer) -> str:
    """Write down all that says what a tokeniser does with a text.

    How it cuts and pads is not among it: a fast tokeniser keeps there what its file
    or the last call said, and the next call says it anew.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        if backend.truncation or backend.padding:
            backend = tokenizers.Tokenizer.from_str(backend.to_str())
            backend.no_truncation()
            backend.no_padding()
        return backend.to_str()
    return json.dumps([type(tokenizer).__name__, tokenizer.get_vocab()], sort_keys=True)


def _digest(*parts) -> str:
    versions = [torch.__version__, transformers.__version__, tokenizers.__version__]
    text = json.dumps([*parts, versions], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _check_classifier(model) -> None:
    if not hasattr(model.config, "num_labels") or model.config.num_labels < 2:
        raise ValueError(
            "the teacher must be a classifier of at least two classes, got"
            f" {type(model).__name__} with"
            f" {getattr(model.config, 'num_labels', 'no')} output: that is a"
            " regression, which gives a number and no classes"
        )


def _check_vocabulary(model, tokenizer) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ValueError(
            f"tokenizer has {len(tokenizer)} tokens but the teacher's"
            f" embedding has {rows} rows: it is not this model's tokeniser."
            " Teacher and student share token ids only if they share the"
            " vocabulary; pass texts, and each side reads them its own way."
        )
    check_knows_words(tokenizer)


def check_knows_words(tokenizer) -> None:
    """Raise if a tokeniser has no token but its special ones.

    Raises
    ------
    ValueError
        If it was made up in place of files that are missing.
    """
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise ValueError(
            f"tokenizer has {len(tokenizer)} tokens, all of them special"
            f" ({tokenizer.all_special_tokens}): it knows no word. That is what"
            " transformers makes up where the files of the tokeniser are missing:"
            " save it beside the model with tokenizer.save_pretrained(folder)"
        )


def agreed_pad_id(model, tokenizer) -> int:
    """Return the padding that model and tokeniser both take for padding.

    A config without one is given one: a decoder stops reading there.

    Raises
    ------
    ValueError
        If neither knows one, nor a token that could stand for it.
    """
    theirs = tokenizer.pad_token_id
    known = getattr(model.config, "pad_token_id", None)
    if known is None:
        candidates = (theirs, tokenizer.eos_token_id, tokenizer.unk_token_id)
        known = next((token for token in candidates if token is not None), None)
        if known is None:
            raise ValueError(
                "tokenizer has neither pad_token, eos_token nor unk_token, and the"
                " model's config no pad_token_id: set tokenizer.pad_token"
            )
        model.config.pad_token_id = known
    return known


def on_accelerator(model):
    """Move a model to the accelerator, if there is one; return it."""
    if torch.accelerator.is_available():
        model.to(torch.accelerator.current_accelerator())
    return model


def positions_of(model) -> int | None:
    """Return how many tokens a model can read; None for any number.

    Positions may be numbered from behind the padding's number on, as RoBERTa
    has it: two of its 514 are never used.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return None
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            return positions - padding - 1
    return positions


def _check_max_length(model, max_length: int) -> None:
    positions = positions_of(model)
    check_whole("max_length", max_length)
    if max_length < 8 or (positions and max_length > positions):
        raise ValueError(
            f"max_length must lie in 8..{positions or 'any'} for this model,"
            f" got {max_length!r}"
        )


def folder_name(fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
