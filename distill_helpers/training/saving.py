"""A lesson's result and its student, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ..evaluation.cards import CARD, model_card
from ..evaluation.scorecard import write_json
from ..files import fresh_path
from ..logs import quietly


def save_run(folder: str | Path, content: dict, model, tokenizer) -> Path:
    """Write a lesson's results and its student, all or nothing.

    Parameters
    ----------
    folder : str or Path
        Gets ``results.json`` and ``student/``, a model card in it.
    content : dict
        From :func:`distill_helpers.evaluation.scorecard.results`.
    model, tokenizer
        The student to keep.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder holds a result already; nothing is changed then.
    """
    folder = Path(folder)
    names = ("student", "results.json")
    _clear_torn(folder)
    for name in names:
        fresh_path(folder / name)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        with quietly():
            model.save_pretrained(Path(part) / "student")
        tokenizer.save_pretrained(Path(part) / "student")
        names_of = model.config.id2label
        card = model_card(content, [names_of[i] for i in sorted(names_of)])
        (Path(part) / "student" / CARD).write_text(str(card), "utf-8")
        write_json(Path(part) / "results.json", content)
        for name in names:
            os.replace(Path(part) / name, folder / name)
    return folder


def _clear_torn(folder: Path) -> None:
    """Take away a student that a killed call left without its results."""
    for part in folder.glob(".part-*"):
        torn = (part / "results.json").is_file() and not (part / "student").exists()
        if torn and not (folder / "results.json").exists():
            shutil.rmtree(folder / "student", ignore_errors=True)
            shutil.rmtree(part)
