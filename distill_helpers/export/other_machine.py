"""The same file on another processor: does it load, does it say the same?

:func:`write_questions` writes what a file was asked and what it answered. On the
other machine this very file does the rest; it needs nothing but NumPy and ONNX
Runtime there::

    python other_machine.py model.onnx questions.json answers.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

FORMAT = "distill-questions-1"
SEVERAL_LABELS = "multi_label_classification"  # the kit itself is not there


def write_questions(path: str | Path, classifier, texts: Sequence[str]) -> Path:
    """Write token ids and this machine's logits for some texts.

    Parameters
    ----------
    path : str or Path
        Of a JSON file that must not exist yet.
    classifier : OnnxClassifier
        Its file is the one to check.
    texts : sequence of str
        At least one; the file holds their token ids, not their words.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If there is such a file.
    ValueError
        If there is no text.
    """
    from ..files import fresh_path, whole_file

    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    rows: list = [None] * len(texts)
    for places, ids, mask in classifier.batches(texts):
        logits = classifier.run(ids, mask)
        for place, row, seen, answer in zip(places, ids, mask, logits):
            rows[place] = {
                "ids": row.tolist(),
                "mask": seen.tolist(),
                "logits": answer.tolist(),
            }
    content = {
        "format": FORMAT,
        "machine": platform.machine(),
        "problem_type": classifier.problem_type,
        "rows": rows,
    }
    path = fresh_path(path)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content), "utf-8")
    return path


def answer_questions(model: str | Path, questions: str | Path) -> dict:
    """Ask a file the same questions here.

    Parameters
    ----------
    model : str or Path
        An ONNX file.
    questions : str or Path
        From :func:`write_questions`.

    Returns
    -------
    dict
        ``machine``, ``asked_on``, ``onnxruntime``, ``texts``, ``agreement`` (share
        of texts with the same label, or all the same labels) and
        ``largest_difference`` of any logit.

    Raises
    ------
    ValueError
        If the questions are of another format.
    """
    content = json.loads(Path(questions).read_text("utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(
            f"questions must have the format {FORMAT!r}, got {content.get('format')!r}"
        )
    session = onnxruntime.InferenceSession(
        str(model), providers=["CPUExecutionProvider"]
    )
    here, there = [], []
    for row in content["rows"]:
        feeds = {
            "input_ids": np.array([row["ids"]], np.int64),
            "attention_mask": np.array([row["mask"]], np.int64),
        }
        here.append(session.run(["logits"], feeds)[0][0])
        there.append(row["logits"])
    ours, theirs = np.array(here), np.array(there)
    same = ours.argmax(1) == theirs.argmax(1)
    if content.get("problem_type") == SEVERAL_LABELS:
        same = ((ours > 0) == (theirs > 0)).all(1)
    return {
        "machine": platform.machine(),
        "asked_on": content["machine"],
        "onnxruntime": onnxruntime.__version__,
        "texts": len(ours),
        "agreement": float(same.mean()),
        "largest_difference": float(np.abs(ours - theirs).max()),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer, write and print what came out; 1 if a label differs."""
    parser = argparse.ArgumentParser(
        description=answer_questions.__doc__.split("\n")[0]
    )
    parser.add_argument("model")
    parser.add_argument("questions")
    parser.add_argument("answers", nargs="?")
    options = parser.parse_args(arguments)
    found = answer_questions(options.model, options.questions)
    text = json.dumps(found, indent=1)
    if options.answers:
        Path(options.answers).write_text(text + "\n", "utf-8")
    print(text)
    return int(found["agreement"] < 1)


if __name__ == "__main__":
    sys.exit(main())
