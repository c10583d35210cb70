"""Let a teacher write several texts for each problem, and keep those that are right.

Rejection sampling: so were the texts chosen that DeepSeek-R1's students learned from
[1]_, and those of STaR [2]_.

References
----------
.. [1] DeepSeek-AI, "DeepSeek-R1", 2025, arXiv:2501.12948.
.. [2] E. Zelikman et al., "STaR: bootstrapping reasoning with reasoning", NeurIPS
   2022, arXiv:2203.14465.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from ..arguments import check_whole
from ..data.cleaning import check_texts
from ..files import whole_file

Generate = Callable[[list[str], int], Sequence[str | None]]
Verify = Callable[[str, str], bool]

JOB = "job.json"


class NothingPassedError(ValueError):
    """Not one text that a teacher wrote is right."""


@dataclass(frozen=True)
class Traces:
    """What a teacher wrote, and which of it is right.

    Attributes
    ----------
    prompts : list of str
    completions : list of list of str or None
        Those of each prompt; None where a text did not end within its limit.
    right : list of list of bool
        Whether each passed the check.
    difficulty : list of hashable
        Of each prompt.
    keep : int or None
        Most texts kept for a prompt; None for all that differ.
    """

    prompts: list[str]
    completions: list[list[str | None]]
    right: list[list[bool]]
    difficulty: list[Hashable]
    keep: int | None = None

    @property
    def kept(self) -> list[dict[str, str]]:
        """Right texts, each once a prompt: rows of ``prompt`` and ``completion``."""
        return [
            {"prompt": prompt, "completion": text}
            for prompt, texts in zip(self.prompts, self._kept())
            for text in texts
        ]

    @property
    def unchecked(self) -> list[dict[str, str]]:
        """As many texts of a prompt, right or wrong, as they came, each once."""
        return [
            {"prompt": prompt, "completion": text}
            for prompt, texts in zip(self.prompts, self.completions)
            for text in _distinct(texts, self.keep)
        ]

    @property
    def unsolved(self) -> list[int]:
        """The numbers of the prompts that have no right text."""
        return [number for number, right in enumerate(self.right) if not any(right)]

    def table(self) -> pd.DataFrame:
        """Return what is kept and what is dropped, by difficulty.

        Returns
        -------
        DataFrame
            A row for each difficulty: ``problems``, ``unsolved`` (problems that are
            dropped whole), ``written`` (texts), ``right``, and ``kept``.
        """
        rows = pd.DataFrame(
            {
                "difficulty": self.difficulty,
                "problems": 1,
                "unsolved": [not any(right) for right in self.right],
                "written": [len(texts) for texts in self.completions],
                "right": [sum(right) for right in self.right],
                "kept": [len(texts) for texts in self._kept()],
            }
        )
        return rows.groupby("difficulty", dropna=False).sum()

    def _kept(self) -> list[list[str]]:
        return [
            _distinct([t for t, is_right in zip(texts, right) if is_right], self.keep)
            for texts, right in zip(self.completions, self.right)
        ]


def _distinct(texts: Sequence[str | None], most: int | None) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text is not None))[:most]


def rejection_sample(
    prompts: Sequence[str],
    generate: Generate,
    verify: Verify,
    n: int = 4,
    *,
    keep: int | None = None,
    difficulty: Sequence[Hashable] | None = None,
    folder: str | Path | None = None,
    fingerprint: str = "",
    chunk: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> Traces:
    """Sample some texts for each prompt and keep those that pass a check.

    Parameters
    ----------
    prompts : sequence of str
        All different.
    generate : callable
        Takes a list of prompts, in which each stands `n` times, and a seed; returns
        a text for each, None where one did not end within its limit. Such as
        ``lambda prompts, seed: generate_texts(model, tokenizer, prompts,
        temperature=1.0, seed=seed).whole``.
    verify : callable
        Takes a prompt and a text; returns whether the text is right, as a bool.
        Never asked of a text that did not end: that is wrong.
    n : int, default 4
        Texts for each prompt.
    keep : int, optional
        Most right texts kept for a prompt; by default all that differ. Those that a
        teacher finds easy would else weigh more.
    difficulty : sequence of hashable, optional
        Of each prompt, for :meth:`Traces.table`; by default how many of its texts are
        right.
    folder : str or Path, optional
        Where the texts are put piece by piece: the same call finds them there, and
        goes on where an earlier one ended.
    fingerprint : str, optional
        Names the teacher and its settings, so that another one does not go on in the
        same folder.
    chunk : int, default 64
        Prompts in a piece.
    seed : int, default 0
        Every piece has a seed that follows from it.
    progress : bool, default True
        Show a bar.

    Returns
    -------
    Traces

    Raises
    ------
    NothingPassedError
        If no text is right; the message names problems and what was written.
    TypeError
        If `generate` or `verify` return something else.
    ValueError
        If a prompt stands there twice, lengths differ, a number is below 1, or the
        folder holds the texts of another job or a torn file.

    Examples
    --------
    >>> answers = {"1 + 1 =": "2", "2 + 2 =": "4"}
    >>> traces = rejection_sample(
    ...     list(answers), lambda prompts, seed: ["2"] * len(prompts),
    ...     lambda prompt, text: text == answers[prompt], n=2, progress=False,
    ... )
    >>> traces.kept, traces.unsolved
    ([{'prompt': '1 + 1 =', 'completion': '2'}], [1])
    """
    prompts = _checked(prompts)
    check_whole("n", n, least=1)
    check_whole("keep", keep, least=1, optional=True)
    check_whole("chunk", chunk, least=1)
    check_whole("seed", seed, least=0)
    if difficulty is not None and len(difficulty) != len(prompts):
        raise ValueError(
            f"difficulty must be given for each of {len(prompts)} prompts, got"
            f" {len(difficulty)}"
        )
    store = None
    if folder is not None:
        job = {"n": n, "chunk": chunk, "seed": seed, "teacher": fingerprint}
        store = _Store(Path(folder), job | {"prompts": _digest(prompts)})
    starts = range(0, len(prompts), chunk)
    completions: list[list[str | None]] = []
    for piece, start in enumerate(tqdm(starts, "sampling", disable=not progress)):
        asked = [p for p in prompts[start : start + chunk] for _ in range(n)]
        texts = store and store.read(piece, len(asked))
        if texts is None:
            texts = _texts(generate(asked, seed * 1_000_003 + piece), len(asked))
            if store:
                store.write(piece, texts)
        completions += [texts[i : i + n] for i in range(0, len(texts), n)]
    right = [
        [text is not None and _passes(verify, prompt, text) for text in texts]
        for prompt, texts in zip(prompts, completions)
    ]
    if difficulty is None:
        difficulty = [sum(each) for each in right]
    if not any(map(any, right)):
        raise NothingPassedError(_nothing(prompts, completions))
    return Traces(prompts, completions, right, list(difficulty), keep)


class _Store:
    """Pieces of a job in a folder, each written whole or not at all."""

    def __init__(self, folder: Path, job: dict) -> None:
        self.folder = folder
        record = folder / JOB
        if record.is_file():
            then = json.loads(record.read_text("utf-8"))
            apart = sorted(k for k in then | job if then.get(k) != job.get(k))
            if apart:
                told = "; ".join(
                    f"{k} {then.get(k)!r}, now {job.get(k)!r}" for k in apart
                )
                raise ValueError(
                    f"folder {str(folder)!r} holds the texts of another job: {told}."
                    " Name another folder"
                )
            return
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(
                f"folder {str(folder)!r} holds something else; name an empty one"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(record) as temporary:
            temporary.write_text(json.dumps(job, indent=1) + "\n", "utf-8")

    def _path(self, piece: int) -> Path:
        return self.folder / f"piece-{piece:05d}.parquet"

    def read(self, piece: int, count: int) -> list[str | None] | None:
        """Return the texts of a piece, or None if it is still to be written."""
        path = self._path(piece)
        if not path.is_file():
            return None
        try:
            texts = pq.read_table(path)["text"].to_pylist()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise ValueError(
                f"{str(path)!r} cannot be read ({error}); take it away, and it is"
                " written anew"
            ) from error
        return _texts(texts, count)

    def write(self, piece: int, texts: list[str | None]) -> None:
        table = pa.table({"text": pa.array(texts, pa.string())})
        with whole_file(self._path(piece)) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _checked(prompts: Sequence[str]) -> list[str]:
    check_texts(prompts, "prompts")
    prompts = list(prompts)
    if not prompts:
        raise ValueError("prompts must hold at least one text, got none")
    first: dict[str, int] = {}
    for number, prompt in enumerate(prompts):
        if first.setdefault(prompt, number) != number:
            raise ValueError(
                f"prompts[{number}] is prompts[{first[prompt]}] again, {prompt!r}: it"
                " would weigh twice; leave one out"
            )
    return prompts


def _texts(texts, count: int) -> list[str | None]:
    texts = list(texts)
    if len(texts) != count:
        raise ValueError(
            f"generate must return one text for each of {count} prompts, got {len(texts)}"
        )
    for text in texts:
        if not (text is None or isinstance(text, str)):
            raise TypeError(
                "generate must return texts, None for one that did not end, got"
                f" {type(text).__name__}: {text!r:.80}"
            )
    return texts


def _passes(verify: Verify, prompt: str, text: str) -> bool:
    verdict = verify(prompt, text)
    if not isinstance(verdict, (bool, np.bool_)):
        raise TypeError(
            "verify must return True or False, got"
            f" {type(verdict).__name__}: {verdict!r:.80} for the prompt {prompt!r:.80}"
        )
    return bool(verdict)


def _nothing(prompts: list[str], completions: list[list[str | None]]) -> str:
    texts = [text for each in completions for text in each]
    cut = sum(text is None for text in texts)
    told = "; ".join(
        f"number {number}, {prompt!r:.80}: {_shown(each)}"
        for number, (prompt, each) in enumerate(zip(prompts[:3], completions))
    )
    return (
        f"none of {len(texts)} texts for {len(prompts)} problems passed the check"
        f" ({cut} did not end within the limit). {told}. Look whether verify reads what"
        " the teacher writes, and whether it can solve such problems at all"
    )


def _shown(texts: list[str | None]) -> str:
    first = next((text for text in texts if text is not None), None)
    return "no text ended" if first is None else f"{first!r:.80}"


def _digest(prompts: list[str]) -> str:
    return hashlib.sha256(json.dumps(prompts).encode()).hexdigest()[:16]
