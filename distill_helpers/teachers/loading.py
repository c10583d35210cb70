"""Classifiers of others, loaded with care: nothing made up, nothing executed."""

from __future__ import annotations

import os.path
from pathlib import Path

import torch
from safetensors import SafetensorError

from ..logs import quietly

ADAPTER = "adapter_config.json"
CONFIG = "config.json"
_OF_STRANGE_FILES = (AttributeError, LookupError, RuntimeError, TypeError)
"""What transformers raises where a config is not of the shape that it expects."""


def load_classifier(name: str | Path, revision: str | None = None):
    """Load a trained sequence classifier and its tokeniser.

    Parameters
    ----------
    name : str or Path
        Folder or Hub id.
    revision : str, optional
        Branch, tag or commit on the Hub.

    Returns
    -------
    (PreTrainedModel, PreTrainedTokenizerBase)

    Raises
    ------
    OSError
        If there is no such folder or model, or the Hub cannot be reached.
    ValueError
        If it is a LoRA adapter, has no weights as safetensors, no trained head,
        a damaged file, or needs code of its own.

    Notes
    -----
    Only safetensors are read, and no code that lies beside them is run or asked
    about.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    _check_folder(name)
    options = {"revision": revision, "trust_remote_code": False}
    try:
        with quietly():
            model, loading = AutoModelForSequenceClassification.from_pretrained(
                name,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                **options,
            )
            tokenizer = AutoTokenizer.from_pretrained(name, **options)
    except SafetensorError as error:
        raise ValueError(
            f"teacher={str(name)!r}: its weights are damaged and cannot be read"
            f" ({error}); get the files anew"
        ) from error
    except (ValueError, *_OF_STRANGE_FILES) as error:
        raise ValueError(
            f"teacher={str(name)!r} cannot be loaded as a sequence classifier:"
            f" {_reason(error)}"
        ) from error
    except OSError as error:
        raise _told(name, error) from error
    _check_loaded(name, loading)
    return model, tokenizer


def _check_folder(name) -> None:
    """Refuse a folder that cannot be a classifier, and say what it lacks."""
    if not str(name).strip():
        raise ValueError("teacher must be a folder or a Hub id, got ''")
    folder = Path(name)
    if not os.path.isdir(folder):
        return
    if (folder / ADAPTER).is_file() and not (folder / CONFIG).is_file():
        raise ValueError(
            f"teacher={str(name)!r} is an adapter (LoRA), not a whole classifier:"
            " merge it into its model with peft's merge_and_unload(), and save that"
            " with its tokeniser"
        )
    if not (folder / CONFIG).is_file():
        raise ValueError(
            f"teacher={str(name)!r} is a folder without {CONFIG}: it holds no saved"
            " classifier. Write one with model.save_pretrained(folder) and"
            " tokenizer.save_pretrained(folder)"
        )
    if not any(folder.glob("*.safetensors")):
        found = sorted(p.name for p in folder.glob("*") if p.suffix in (".bin", ".pt"))
        raise ValueError(
            f"teacher={str(name)!r} has no weights as safetensors"
            + (f", only {found}, which are pickles and may run code" if found else "")
            + ": save it anew with model.save_pretrained(folder)"
        )


def _told(name, error: OSError) -> OSError | ValueError:
    """Say what an OSError of transformers means for this name."""
    if os.path.isdir(name):
        return ValueError(f"teacher={str(name)!r} cannot be read: {_reason(error)}")
    if "safetensors" in str(error):
        return ValueError(
            f"teacher={str(name)!r} has no weights as safetensors, and other files"
            f" are not read, since they may run code: {_reason(error)}"
        )
    if _is_adapter(name):
        return ValueError(
            f"teacher={str(name)!r} is an adapter (LoRA), not a whole classifier:"
            " merge it into its model with peft's merge_and_unload() first"
        )
    return OSError(
        f"teacher={str(name)!r} is neither a folder with a saved"
        " classifier nor a model that the Hub or its local cache"
        " gives. Check the spelling and the network. Neither is needed by"
        " teacher='make', made of your labels, or by 'shipped', which knows our"
        " own texts."
    )


def _is_adapter(name) -> bool:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(str(name), ADAPTER), str)
    except HFValidationError:  # a path, not a Hub id
        return False


def _check_loaded(name, loading: dict) -> None:
    missing = sorted(map(str, loading["missing_keys"]))
    if missing:
        raise ValueError(
            f"teacher={str(name)!r} is no trained classifier: {len(missing)} of its"
            f" weights are not in the file and were drawn at random, among them"
            f" {missing[:3]}. An encoder alone can become a teacher:"
            " distill_helpers.teachers.make_teacher(reviews, encoder=...)"
        )


def _reason(error: Exception) -> str:
    """The first line of a message, without advice that does not apply here."""
    text = str(error).strip() or type(error).__name__
    if "ignore_mismatched_sizes" in text:
        return (
            f"its weights have other shapes than {CONFIG} says: the two do not belong"
            " together"
        )
    if isinstance(error, _OF_STRANGE_FILES):
        return (
            f"its {CONFIG}, or a file of its tokeniser, is not of the usual shape"
            f" ({type(error).__name__}: {text.splitlines()[0]:.200})"
        )
    if "trust_remote_code" in text or "custom code" in text:
        return "it needs code of its own, which is never run here"
    return text.splitlines()[0]
