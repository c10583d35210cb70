"""A model card beside every saved student, in the Hub's format.

Whatever it says comes from the run's results: nothing is typed in.

References
----------
.. [1] M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .metrics import HEADINGS, METRICS

CARD = "README.md"
_TOLD_IN_WORDS = ("calibration_error",)
_TEACHERS = {
    "shipped": "the kit's own, a fine-tuned encoder averaged with a linear model;"
    " its answers are shipped as `data/soft_targets`, its making is told in"
    " `data/teacher.json` and `notebooks/appendix_teacher.ipynb`",
}
_LOAD = """import distill_helpers.students  # makes its classes known
from transformers import pipeline

classify = pipeline("text-classification", model="this folder")
classify("A joy from start to finish.")"""
_TEMPLATE = """\
---
{{ card_data }}
---

# {{ title }}

A student of knowledge distillation: a small classifier that learnt from the soft \
targets of a larger one. Classes: {{ classes }}.

## Data, teacher, soft targets

- Source: {{ source or "not recorded" }}.
{% if "labelled" in settings -%}
- Reviews read in training: {{ settings["reviews"] | default("?") }}, of which \
{{ settings["labelled"] }} with a label.
{% endif -%}
- Teacher: {{ teacher }}.
{%- if recipe %}
- Soft targets: the teacher's logits; {{ recipe }}.
{%- endif %}
{%- if rows %}

## Scores

On test reviews that no choice has looked at; the mean over the seeds and its 95% \
interval.
{%- if rows | selectattr("name", "equalto", "control") | list %} `control` is the \
same student without a teacher, trained for the same number of steps.{% endif %}

| model | {{ headings | join(" | ") }} | seeds | reviews |
| --- | {{ "--- | " * (headings | length) }}--- | --- |
{%- for row in rows %}
| {{ "**%s**" % row.name if row.name == name else row.name }} | {% for score in \
row.scores %}{{ score }} | {% endfor %}{{ row.seeds }} | {{ row.examples }} |
{%- endfor %}
{%- endif %}

## Limits

- Measured on {{ source or "its data" }} alone. Other kinds of text, other languages \
and longer texts were not measured.
- It inherits what its teacher gets wrong; agreement with the teacher is not \
correctness.
- It was not examined for unequal errors between groups of people. Do not let it \
decide about anyone.
{%- if own.calibration_error %}
- Its probabilities are off by \
{{ "%.1f" | format(100 * own.calibration_error["mean"]) }} points on average \
(expected calibration error); calibrate them before a threshold.
{%- endif %}

## How to load it

```python
{{ load }}
```

Made with distill-helpers {{ kit }}{{ " on " + tools if tools }}.

"""


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
    own = next((row for row in rows if row["name"] == name), {})
    shown = [m for m in METRICS if m not in _TOLD_IN_WORDS]
    source = _short(settings["source"]) if "source" in settings else ""
    teacher = settings.get("teacher", "not recorded")
    known = [k for k in ("temperature", "alpha", "epochs", "steps") if k in settings]
    machine = content.get("machine", {})
    tools = [t for t in ("python", "torch", "transformers") if t in machine]
    title = f"{settings.get('student', 'student')} distilled on"
    title += f" {source or 'unknown data'}"
    header = ModelCardData(
        model_name=title,
        library_name=library,
        pipeline_tag="text-classification",
        tags=["knowledge-distillation", "text-classification"],
        metrics=[m for m in shown if m in own] or None,
        eval_results=[_result(own, m, source or "unknown") for m in shown if m in own]
        or None,
    )
    return ModelCard.from_template(
        header,
        template_str=_TEMPLATE,
        title=title,
        name=name,
        classes=", ".join(label_names),
        settings=settings,
        source=source,
        teacher=_TEACHERS.get(teacher, f"`{_short(teacher)}`"),
        recipe=", ".join(f"{key} {settings[key]:g}" for key in known),
        headings=[HEADINGS.get(metric, metric) for metric in shown],
        rows=[_line(row, shown) for row in rows],
        own=own,
        load=load or _LOAD,
        kit=content.get("kit", ""),
        tools=", ".join(f"{tool} {machine[tool]}" for tool in tools),
    )


def _short(source) -> str:
    """Name a file without the folders of the machine it lay on."""
    return str(source).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _result(row: Mapping, metric: str, source: str) -> EvalResult:
    return EvalResult(
        task_type="text-classification",
        dataset_type=source,
        dataset_name=f"{source}, test part",
        metric_type=metric,
        metric_value=round(row[metric]["mean"], 4),
    )


def _line(row: Mapping, metrics: Sequence[str]) -> dict:
    return {
        "name": row["name"],
        "scores": [_interval(row.get(metric)) for metric in metrics],
        "seeds": len(row["accuracy"]["per_seed"]) if "accuracy" in row else 0,
        "examples": row.get("examples", ""),
    }


def _interval(metric: Mapping | None) -> str:
    if not metric:
        return ""
    bounds = metric.get("interval")
    around = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""
    return f"{metric['mean']:.3f}{around}"
