"""What is handed over: student, ONNX bundle, page, card and reports, all or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.reviews import fingerprint
from ..evaluation.metrics import same_decisions
from ..evaluation.predict import predictor
from ..evaluation.scorecard import results
from ..export.browser import RuntimeMissingError, to_browser
from ..export.bundle import TextClassifier
from ..export.headless import HeadlessMissingError, PageFaultError, ask_page
from ..files import whole_folder
from ..training.saving import save_run
from .blocks import to_html, to_markdown
from .choosing import texts_read
from .delivered_forms import USUAL
from .guide import Guide
from .looking import Texts
from .report import compose
from .request import FORMS_KEPT, FRONT, Request
from .runs import Trained
from .verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

ASKED = 200
"""Texts on which the forms of the student are compared."""
OURS = ("runs", "teacher", FORMS_KEPT, FRONT)
"""What a working folder holds of ours."""


@dataclass
class Delivered:
    """Where everything lies, and what is missing.

    Attributes
    ----------
    folder : Path
    parity : dict
        ``texts``: how many were asked; ``onnx int8`` (or the form that was chosen) and
        ``page``: the share of them with the label that the student gives in Python;
        None where it was not asked.
    missing : list of str
        What could not be made, and why.
    """

    folder: Path
    parity: dict
    missing: list[str] = field(default_factory=list)

    @property
    def page(self) -> Path | None:
        """The folder of the browser page, if there is one."""
        path = self.folder / "page"
        return path if path.is_dir() else None

    @property
    def files(self) -> pd.DataFrame:
        """What lies in the folder and how large it is."""
        import pandas as pd

        sizes = {
            path.name + "/" * path.is_dir(): _bytes(path) / 1e6
            for path in sorted(self.folder.iterdir())
        }
        return pd.DataFrame({"MB": sizes}).rename_axis("file")

    def __str__(self) -> str:
        lines = [f"written to {self.folder}", self.files.round(2).to_string()]
        return "\n".join([*lines, *(f"! {reason}" for reason in self.missing)])


def _bytes(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in inside if file.is_file())


def deliver(
    request: Request, texts: Texts, guide: Guide, trained: Trained, verdict: Verdict
) -> Delivered:
    """Write the output folder, all or nothing, and clear the working folder.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide
    trained : Trained
    verdict : Verdict

    Returns
    -------
    Delivered

    Raises
    ------
    FileExistsError
        If the output holds something by now.
    """
    model, tokenizer = verdict.choice.model, trained.tokenizer
    with whole_folder(request.folder) as made:
        trained.write_bundle(made / "bundle", texts)
        missing = _page(made)
        parity, unasked = ask_all(made, model, tokenizer, texts, trained.form)
        missing += unasked
        content = _content(request, texts, guide, trained, verdict)
        content |= {"parity": parity, "missing": missing}
        blocks = compose(request, texts, guide, trained, verdict, parity, missing)
        title = f"A student of {Path(request.source).name}"
        (made / "report.md").write_text(to_markdown(blocks), "utf-8")
        (made / "report.html").write_text(to_html(blocks, title), "utf-8")
        save_run(made, content, model, tokenizer)
    _clear(request)
    return Delivered(request.folder, parity, missing)


def _page(made: Path) -> list[str]:
    try:
        to_browser(made / "bundle", made / "page")
    except RuntimeMissingError as reason:
        return [f"page/: {reason}"]
    return []


def ask_all(
    made: Path, model, tokenizer, texts: Texts, form: str = USUAL
) -> tuple[dict, list[str]]:
    """Ask the student in all its forms, and count the texts with one answer."""
    asked = _to_ask(texts)
    here = predictor(model, tokenizer)(asked)
    rounded = TextClassifier(made / "bundle").logits(asked)

    def share(logits: np.ndarray) -> float:
        return float(same_decisions(here, logits, texts.problem_type).mean())

    found = {
        "texts": len(asked),
        f"onnx {form}": share(rounded),
        "page": None,
    }
    if not (made / "page").is_dir():
        return found, []
    try:
        logits = np.array([answer.logits for answer in ask_page(made / "page", asked)])
    except HeadlessMissingError as reason:
        return found, [f"the page was not asked: {reason}"]
    except PageFaultError as reason:
        return found, [f"the page does not answer: {reason}"]
    found["page"] = share(logits)
    return found, []


def _to_ask(texts: Texts) -> list[str]:
    parts = ("test", "validation", "transfer", "train")
    return [text for part in parts for text in texts.reviews[part]["text"]][:ASKED]


def _content(
    request: Request, texts: Texts, guide: Guide, trained: Trained, verdict: Verdict
) -> dict:
    reviews = texts.reviews
    answers = guide.teacher.answers(list(reviews["test"]["text"]))
    content = results(
        verdict.rows,
        source=Path(request.source).name,
        teacher=request.teacher_name,
        student=trained.student,
        labels=texts.label_names,
        problem_type=texts.problem_type,
        labelled=len(reviews["train"]),
        reviews=texts_read(request, texts),
        ask=request.ask,
        choose=request.choose,
        temperature=request.temperature,
        alpha=request.alpha,
        soft_loss=request.soft_loss,
        example_weights=request.example_weights,
        steps=trained.steps,
        seeds=list(trained.seeds),
        class_weights=request.class_weights,
    )
    if trained.weighed is not None:
        content["front"] = trained.weighed.to_json()
    return content | {
        "choice": verdict.choice.to_json(),
        "data": {
            "sizes": dict(texts.report.sizes),
            "classes": dict(texts.report.classes),
            "hidden_labels": texts.report.hidden_labels,
            "fingerprint": fingerprint(
                reviews["test"], None if np.isnan(answers).any() else answers
            ),
        },
        "teacher": _plain(guide.about),
        "helped": verdict.helped,
        "comparisons": {
            score: [asdict(one) for one in found]
            for score, found in verdict.comparisons.items()
        },
        "gain_over_texts": list(verdict.over_texts),
        "texts_told_apart": verdict.told_apart[0],
        "per_class": _records(verdict.per_class),
        "confusion": None
        if verdict.confusion is None
        else verdict.confusion.to_numpy().tolist(),
        "warnings": verdict.warnings,
    }


def _plain(about: Mapping) -> dict:
    kinds = (str, int, float, bool, type(None))
    return {key: v if isinstance(v, kinds) else str(v) for key, v in about.items()}


def _records(frame: pd.DataFrame) -> Sequence[dict]:
    """Rows as plain data; what is not defined is None."""
    rows = frame.reset_index().to_dict("records")
    return [{k: None if v != v else v for k, v in row.items()} for row in rows]


def _clear(request: Request) -> None:
    """Take away what was kept in between, and nothing else."""
    for name in OURS:
        shutil.rmtree(request.working / name, ignore_errors=True)
    if request.working.is_dir() and not any(request.working.iterdir()):
        request.working.rmdir()
