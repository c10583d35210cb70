"""A page with cards to ask: the answer of a reader, and where it looked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from ..data.cards import (
    ANSWER_NAMES,
    CELLS,
    COLUMNS,
    PICTURE_SHAPE,
    QUESTIONS,
    Cards,
    card_text,
)
from ..files import whole_folder
from ..places import BROWSER_RUNTIME
from ..students.card_reading import card_ids, card_tokenizer
from .browser import LICENCES, runtime_files, runtime_licences
from .headless import visit_page
from .onnx_cards import OnnxCards

CARDS_PAGE = Path(__file__).resolve().parent / "cards_page"
ASK_ALL = """async () => {
  const found = [];
  for (let card = 0; card < globalThis.reader.about.asked.length; card += 1) {
    found.push(await globalThis.reader.ask(card));
  }
  return found;
}"""


def cards_to_browser(
    graph: str | Path,
    cards: Cards,
    folder: str | Path,
    *,
    runtime: str | Path = BROWSER_RUNTIME,
) -> Path:
    """Make a static page of a reader and some cards.

    Parameters
    ----------
    graph : str or Path
        From :func:`~distill_helpers.export.onnx_cards.trace_cards`.
    cards : Cards
        At least one; each question must be one of
        :data:`~distill_helpers.data.cards.QUESTIONS`.
    folder : str or Path
        Must not exist yet, or be empty; appears whole or not at all.
    runtime : str or Path
        See :func:`~distill_helpers.export.browser.runtime_files`.

    Returns
    -------
    Path
        `folder`. Any static server can serve it; it asks nobody but its own.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    RuntimeMissingError
        If the runtime has not been installed.
    ValueError
        If there is no card, a question is none of the known ones, or the graph is no
        reader of cards.
    FileNotFoundError
        If there is no such graph.
    """
    OnnxCards(graph, threads=1)  # refuses what is none
    content, found = _listed(cards), runtime_files(runtime)
    with whole_folder(folder) as made:
        (made / "runtime").mkdir()
        for name, path in found.items():
            shutil.copyfile(path, made / name)
        for path in sorted(CARDS_PAGE.iterdir()):
            shutil.copyfile(path, made / path.name)
        (made / LICENCES).write_text(runtime_licences(Path(runtime)), "utf-8")
        (made / "cards.json").write_text(json.dumps(content), "utf-8")
        cards.pictures.astype("<f4").tofile(made / "pictures.f32")
        shutil.copyfile(graph, made / "student.onnx")
    return Path(folder)


def _listed(cards: Cards) -> dict:
    """Return what the page must know of the cards, as plain data."""
    if not len(cards):
        raise ValueError("cards must hold at least one, got none")
    numbers = {question: place for place, question in enumerate(QUESTIONS)}
    for question in cards.questions:
        if question not in numbers:
            raise ValueError(
                "questions must be those of distill_helpers.data.cards.QUESTIONS, got"
                f" {question.text!r}"
            )
    ids, own = card_ids(cards), 1 + CELLS
    first = cards.some([0])
    asked = [card_ids(first.asking(question))[0, own:] for question in QUESTIONS]
    return {
        "size": list(PICTURE_SHAPE),
        "columns": len(COLUMNS),
        "answers": list(ANSWER_NAMES),
        "first": int(ids[0, 0]),
        "blank": card_tokenizer().convert_tokens_to_ids("_"),
        "typed": ids[:, 1:own].tolist(),
        "written": [card_text(typed, "").strip() for typed in cards.typed],
        "asked": [numbers[question] for question in cards.questions],
        "questions": [
            {"text": question.text, "ids": row.tolist()}
            for question, row in zip(QUESTIONS, asked)
        ],
    }


def ask_cards_page(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Let a page answer all of its cards, in a browser without a window.

    Parameters
    ----------
    folder : str or Path
        From :func:`cards_to_browser`.

    Returns
    -------
    logits : ndarray of float32, shape (cards, 21)
    looks : ndarray of float32, shape (cards, 7)
        Of the token that answers, in the first block.

    Raises
    ------
    HeadlessMissingError, PageFaultError, FileNotFoundError
        As :func:`~distill_helpers.export.headless.ask_page`.
    """
    found = visit_page(folder, ASK_ALL)
    return tuple(
        np.array([answer[name] for answer in found], np.float32)
        for name in ("logits", "looks")
    )
