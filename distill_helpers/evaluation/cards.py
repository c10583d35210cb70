"""A model card beside every saved student, in the Hub's format.

Whatever it says comes from the run's results: nothing is typed in.

References
----------
.. [1] M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

METRICS = ("accuracy", "f1")
CARD = "README.md"
_TEACHERS = {
    "shipped": "the kit's own, a fine-tuned encoder averaged with a linear model;"
    " its answers are shipped as `data/soft_targets`, its making is told in"
    " `data/teacher.json` and `notebooks/appendix_teacher.ipynb`",
}


def model_card(
    content: Mapping,
    label_names: Sequence[str],
    *,
    name: str = "distilled",
    load: str = "",
    library: str = "transformers",
) -> ModelCard:
    """Write down what a student is, from the results of its run.

    Parameters
    ----------
    content : mapping
        From :func:`distill_helpers.evaluation.scorecard.results`.
    label_names : sequence of str
        In the order of the logits.
    name : str, default "distilled"
        The student's row among the results; the other rows stand beside it.
    load : str, optional
        Python code that loads it; by default a ``pipeline`` of transformers.
    library : str, default "transformers"
        What reads the student's files.

    Returns
    -------
    huggingface_hub.ModelCard
        ``card.save(path)`` writes it, ``str(card)`` shows it.

    Notes
    -----
    The metrics of the header are means over the seeds; the intervals, which the
    Hub's format has no place for, stand in the table below it.
    """
    settings = dict(content.get("settings", {}))
    rows = list(content.get("rows", []))
    own = next((row for row in rows if row["name"] == name), None)
    header = ModelCardData(
        model_name=_title(settings),
        library_name=library,
        pipeline_tag="text-classification",
        tags=["knowledge-distillation", "text-classification"],
        metrics=[m for m in METRICS if own and m in own] or None,
        eval_results=_results(own, settings) if own else None,
    )
    parts = [
        f"---\n{header.to_yaml()}\n---",
        f"# {_title(settings)}",
        "A student of knowledge distillation: a small classifier that learnt from the"
        f" soft targets of a larger one. Classes: {', '.join(label_names)}.",
        _data(settings),
        _scores(rows, name),
        _limits(settings, own),
        "## How to load it\n\n```python\n" + (load or _LOAD) + "\n```",
        _made_by(content),
    ]
    return ModelCard("\n\n".join(part for part in parts if part) + "\n")


_LOAD = """import distill_helpers.students.registry  # makes its classes known
from transformers import pipeline

classify = pipeline("text-classification", model="this folder")
classify("A joy from start to finish.")"""


def _title(settings: Mapping) -> str:
    kind = settings.get("student", "student")
    return f"{kind} distilled on {_short(settings.get('source', 'unknown data'))}"


def _short(source) -> str:
    """Name a file without the folders of the machine it lay on."""
    return str(source).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _results(row: Mapping, settings: Mapping) -> list[EvalResult]:
    source = _short(settings.get("source", "unknown"))
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=source,
            dataset_name=f"{source}, test part",
            metric_type=metric,
            metric_value=round(row[metric]["mean"], 4),
        )
        for metric in METRICS
        if metric in row
    ]


def _data(settings: Mapping) -> str:
    teacher = settings.get("teacher", "not recorded")
    teacher = _TEACHERS.get(teacher, f"`{_short(teacher)}`")
    lines = [
        "## Data, teacher, soft targets",
        "",
        f"- Source: {_short(settings.get('source', 'not recorded'))}.",
    ]
    if "labelled" in settings:
        lines.append(
            f"- Reviews read in training: {settings.get('reviews', '?')},"
            f" of which {settings['labelled']} with a label."
        )
    lines.append(f"- Teacher: {teacher}.")
    known = [k for k in ("temperature", "alpha", "epochs", "steps") if k in settings]
    if known:
        given = ", ".join(f"{key} {settings[key]:g}" for key in known)
        lines.append(f"- Soft targets: the teacher's logits; {given}.")
    return "\n".join(lines)


def _scores(rows: Sequence[Mapping], name: str) -> str:
    if not rows:
        return ""
    control = (
        " `control` is the same student without a teacher, trained for the same"
        " number of steps."
    )
    beside = any(row["name"] == "control" for row in rows)
    lines = [
        "## Scores",
        "",
        "On test reviews that no choice has looked at; the mean over the seeds and"
        f" its 95% interval.{control if beside else ''}",
        "",
        "| model | accuracy | F1 | seeds | reviews |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        shown = f"**{row['name']}**" if row["name"] == name else row["name"]
        cells = [_interval(row.get(metric)) for metric in METRICS]
        count = len(row["accuracy"]["per_seed"]) if "accuracy" in row else 0
        lines.append(
            f"| {shown} | {' | '.join(cells)} | {count} | {row.get('examples', '')} |"
        )
    return "\n".join(lines)


def _interval(metric: Mapping | None) -> str:
    if not metric:
        return ""
    if not metric.get("interval"):
        return f"{metric['mean']:.3f}"
    low, high = metric["interval"]
    return f"{metric['mean']:.3f} [{low:.3f}, {high:.3f}]"


def _limits(settings: Mapping, own: Mapping | None) -> str:
    source = _short(settings.get("source", "its data"))
    lines = [
        "## Limits",
        "",
        f"- Measured on {source} alone. Other kinds of text, other languages and"
        " longer texts were not measured.",
        "- It inherits what its teacher gets wrong; agreement with the teacher is not"
        " correctness.",
        "- It was not examined for unequal errors between groups of people. Do not"
        " let it decide about anyone.",
    ]
    if own and own.get("calibration_error"):
        error = own["calibration_error"]["mean"]
        lines.append(
            f"- Its probabilities are off by {100 * error:.1f} points on average"
            " (expected calibration error); calibrate them before a threshold."
        )
    return "\n".join(lines)


def _made_by(content: Mapping) -> str:
    machine = content.get("machine", {})
    tools = ", ".join(
        f"{tool} {machine[tool]}"
        for tool in ("python", "torch", "transformers")
        if tool in machine
    )
    kit = content.get("kit", "")
    return f"Made with distill-helpers {kit}{' on ' + tools if tools else ''}."
