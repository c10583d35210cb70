"""Smaller tables of words: fewer rows, fewer columns.

In a small encoder most weights stand in the embedding. Its rows can be pruned
together with the tokeniser that numbers them, and its width factorised.
(Fewer bits for each number are the business of the quantisers.)
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import nn

from .reshaped import LowRankEmbedding, core_of, replace_module, reshaped_copy


def count_tokens(tokenizer, texts: Sequence[str]) -> Counter:
    """Count how often a tokeniser uses each id in some texts."""
    counts: Counter = Counter()
    ids = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
    for row in ids:
        counts.update(row)
    return counts


def prune_vocabulary(model, tokenizer, texts: Sequence[str], keep: int):
    """Keep the tokens that texts use most, in model and tokeniser alike.

    Special tokens stay, and so do single characters, so that every text can
    still be spelt; what is dropped is spelt by smaller pieces.

    Parameters
    ----------
    model : PreTrainedModel
        A classifier with an embedding; it is not changed.
    tokenizer : PreTrainedTokenizerFast
        WordPiece, BPE or whole words; it is not changed.
    texts : sequence of str
        In the manner of those to come; no label is needed.
    keep : int
        Rows that the embedding shall have.

    Returns
    -------
    (PreTrainedModel, PreTrainedTokenizerFast)

    Raises
    ------
    ValueError
        If there is no text, `keep` leaves no room for what has to stay or is
        not below what there is, or the tokeniser is of another kind.
    """
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    rows = model.get_input_embeddings().weight.shape[0]
    if not keep < rows:
        raise ValueError(f"keep must be below the {rows} rows there are, got {keep!r}")
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    chosen = _choose(state, count_tokens(tokenizer, texts), keep)
    numbers = {token: new for new, token in enumerate(chosen)}
    old = [state["model"]["vocab"][token] for token in chosen]
    smaller = _smaller_model(model, torch.tensor(old))
    return smaller, _smaller_tokenizer(tokenizer, state, numbers)


def _choose(state: dict, counts: Counter, keep: int) -> list[str]:
    """Return the tokens to keep, in the order of their old ids."""
    kind, vocab = state["model"]["type"], state["model"]["vocab"]
    if kind not in ("WordPiece", "BPE", "WordLevel"):
        raise ValueError(
            f"tokenizer must be WordPiece, BPE or whole words (WordLevel), got {kind!r}"
        )
    must = {entry["content"] for entry in state["added_tokens"]}
    if kind != "WordLevel":
        must |= {t for t in vocab if len(t.removeprefix("##")) == 1}
    must &= set(vocab)
    if keep < len(must):
        raise ValueError(
            f"keep must be at least {len(must)}, the special tokens and single"
            f" characters, got {keep!r}"
        )
    chosen = set(must)
    parts = _parts(state["model"]) if kind == "BPE" else {}
    for token, _ in sorted(vocab.items(), key=lambda item: (-counts[item[1]], item[1])):
        # A piece made by merging needs the pieces that it is made of.
        family = _with_parts(token, parts) - chosen
        if len(chosen) + len(family) <= keep:
            chosen |= family
        if len(chosen) == keep:
            break
    return sorted(chosen, key=vocab.get)


def _parts(model: dict) -> dict[str, tuple[str, str]]:
    pairs = [_pair(merge) for merge in model["merges"]]
    return {left + right: (left, right) for left, right in reversed(pairs)}


def _pair(merge) -> tuple[str, str]:
    """Return the two pieces of a merge, which older files write as one text."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _with_parts(token: str, parts: dict) -> set[str]:
    family, open_ = set(), [token]
    while open_:
        piece = open_.pop()
        if piece not in family:
            family.add(piece)
            open_ += parts.get(piece, ())
    return family


def _smaller_tokenizer(tokenizer, state: dict, numbers: dict[str, int]):
    state = copy.deepcopy(state)
    state["model"]["vocab"] = numbers
    if state["model"]["type"] == "BPE":
        pairs = map(_pair, state["model"]["merges"])
        state["model"]["merges"] = [
            list(pair) for pair in pairs if {*pair, "".join(pair)} <= numbers.keys()
        ]
    for entry in state["added_tokens"]:
        entry["id"] = numbers[entry["content"]]
    _renumber_specials(state.get("post_processor"), numbers)
    smaller = copy.deepcopy(tokenizer)
    smaller._tokenizer = Tokenizer.from_str(json.dumps(state))
    return smaller


def _renumber_specials(node, numbers: dict[str, int]) -> None:
    """Give the post-processor's special tokens their new ids, wherever."""
    if isinstance(node, list):
        # BERT's and RoBERTa's own post-processors write pairs of token and id.
        if [type(part) for part in node] == [str, int] and node[0] in numbers:
            node[1] = numbers[node[0]]
        for entry in node:
            _renumber_specials(entry, numbers)
    elif isinstance(node, dict):
        if "ids" in node and "tokens" in node:
            node["ids"] = [numbers[token] for token in node["tokens"]]
        for entry in node.values():
            _renumber_specials(entry, numbers)


def _smaller_model(model, rows: torch.Tensor):
    core = core_of(model)
    if core is not model or isinstance(model.get_input_embeddings(), LowRankEmbedding):
        raise ValueError("prune the vocabulary first, then reshape the model")
    table = model.get_input_embeddings()
    config = copy.deepcopy(model.config)
    config.vocab_size = len(rows)
    pad = table.padding_idx
    if pad is not None:
        config.pad_token_id = int((rows == pad).nonzero())
    smaller = type(model)(config)
    state = model.state_dict()
    name = next(n for n, m in model.named_modules() if m is table)
    state[f"{name}.weight"] = table.weight.detach()[rows]
    smaller.load_state_dict(state)
    return smaller.to(table.weight.device).eval()


def factorise_embedding(model, rank: int) -> nn.Module:
    """Replace the embedding by a product of two matrices, by SVD.

    Parameters
    ----------
    model : PreTrainedModel
        A classifier with an embedding; it is not changed.
    rank : int
        Columns of the narrow table.

    Returns
    -------
    ReshapedForSequenceClassification

    Raises
    ------
    ValueError
        If `rank` would not make it smaller, or it is factorised already.
    """
    table = model.get_input_embeddings()
    if isinstance(table, LowRankEmbedding):
        raise ValueError("the embedding has been factorised already")
    rows, width = table.weight.shape
    most = (rows * width - 1) // (rows + width)
    if not 1 <= rank <= most:
        raise ValueError(
            f"rank must lie in 1..{most} to make an embedding of {rows} x {width}"
            f" smaller, got {rank!r}"
        )

    def cut(inner: nn.Module) -> None:
        old = inner.get_input_embeddings()
        name = next(n for n, m in inner.named_modules() if m is old)
        narrow = LowRankEmbedding(rows, rank, width, old.padding_idx)
        left, strength, right = torch.linalg.svd(old.weight, full_matrices=False)
        narrow.table.weight.copy_(left[:, :rank] * strength[:rank])
        narrow.up.weight.copy_(right[:rank].T)
        replace_module(inner, name, narrow)

    with torch.no_grad():
        return reshaped_copy(model, cut)
