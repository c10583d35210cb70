"""A model card beside every saved student, in the Hub's format.

Whatever it says comes from the run's results: nothing is typed in.

References
----------
.. [1] M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .metrics import HEADINGS
from .scorecard import scores_of, single_run, stored_score
from .statistics import TEXTS

CARD = "README.md"
UNTAUGHT = ("control",)
"""Names of rows whose student had no teacher."""
HARD_ANSWERS = ("hard answers",)
"""Names of rows whose student had the teacher's choices and no soft targets."""
_TOLD_ELSEWHERE = ("calibration_error", "agreement")
_TEACHERS = {
    "shipped": "the kit's own, a fine-tuned encoder averaged with a linear model;"
    " its answers are shipped as `data/soft_targets`, its making is told in"
    " `data/teacher.json` and `notebooks/appendix_teacher.ipynb`",
}
_LOAD = """import distill_helpers  # makes its classes known
from transformers import pipeline

classify = pipeline("text-classification", model="this folder")
classify("A text of your own.")"""
_TEMPLATE = """\
---
{{ card_data }}
---

# {{ title }}

{% if soft -%}
A student of knowledge distillation: a small classifier that learnt from the soft \
targets of a larger one.
{%- elif taught -%}
A small classifier that learnt from labels and, for texts without one, from the hard \
answers of a larger one: what it chose, not how sure it was of it.
{%- else -%}
A small classifier that learnt from labels alone: the same student was also taught by \
a teacher, and that did not make it better on validation texts.
{%- endif %} Classes: {{ classes }}.
{%- if choice %}

Which student this is, and why: {{ choice["why"] }}. The test part had no say in it.
{%- endif %}

## Data, teacher, soft targets

- Source: {{ source or "not recorded" }}.
{% if "labelled" in settings -%}
- Texts read in training: {% if taught -%}
{{ settings["reviews"] | default("?") }}, of which {{ settings["labelled"] }} with a \
label.
{%- else -%}
{{ settings["labelled"] }}, all with a label.
{%- endif %}
{% endif -%}
- Teacher: {{ teacher }}{{ "" if taught else "; this student did not listen to it" }}\
{% if settings["second_teacher"] %}. In its last round also a second teacher, where that \
one had answered{% endif %}.
{%- if recipe %}
- {{ "Soft targets: the teacher's logits" if soft else "Training" }}; {{ recipe }}.
{%- endif %}
{%- if rows %}

## Scores

On test texts that no choice has looked at; the mean over the seeds and its 95% \
interval (Student's t on the scale of log-odds).
{%- if single %} Where there is one run, or equal ones, the interval is Wilson's, over the choice of \
the test texts.{% endif %}
{%- if rows | selectattr("name", "equalto", "control") | list %} `control` is the \
same student without a teacher, trained for the same number of steps.{% endif %}

| model | {{ headings | join(" | ") }} | seeds | texts |
| --- | {{ "--- | " * (headings | length) }}--- | --- |
{%- for row in rows %}
| {{ "**%s**" % row.name if row.name == name else row.name }} | {% for score in \
row.scores %}{{ score }} | {% endfor %}{{ row.seeds }} | {{ row.examples }} |
{%- endfor %}
{%- endif %}
{%- if release %}

## May it go out

{{ release["outcome"] | capitalize }}{% if release["use"] %}, for this use: \
{{ release["use"] }}{% endif %}. Reason: {{ release["reason"] }}.
{% for one in release["findings"] %}
- {{ one["question"] | capitalize }}: {{ one["answer"] }}; {{ one["said"] }}.
{%- endfor %}
{%- endif %}

## Limits

- Measured on {{ source or "its data" }} alone. Other kinds of text, other languages \
and longer texts were not measured.
- It inherits what its teacher gets wrong; agreement with the teacher is not \
correctness.
- {% if examined %}Whether it treats people alike was examined as said above, and no \
further.{% else %}It was not examined for unequal errors between groups of people.\
{% endif %} Do not let it decide about anyone.
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
    name: str | None = None,
    load: str = "",
    library: str = "transformers",
) -> ModelCard:
    """Write down what a student is, from the results of its run.

    Parameters
    ----------
    content : mapping
        From :func:`distill_helpers.evaluation.scorecard.results`; under ``"release"``
        what a release check said of it.
    label_names : sequence of str
        In the order of the logits.
    name : str, optional
        The student's row among the results; the other rows stand beside it. By
        default the one that the run chose (``content["choice"]``), or
        ``"distilled"``.
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
    choice = content.get("choice") or {}
    name = name or choice.get("name", "distilled")
    taught = name not in UNTAUGHT
    soft = taught and name not in HARD_ANSWERS
    own = next((row for row in rows if row["name"] == name), {})
    names = dict.fromkeys(score for row in [own, *rows] for score in scores_of(row))
    shown = [score for score in names if score not in _TOLD_ELSEWHERE]
    source = _short(settings["source"]) if "source" in settings else ""
    teacher = settings.get("teacher", "not recorded")
    told = ("temperature", "alpha", "epochs", "steps") if soft else ("steps",)
    known = [key for key in told if key in settings]
    machine = content.get("machine", {})
    release = dict(content.get("release", {}))
    tools = [t for t in ("python", "torch", "transformers") if t in machine]
    title = f"{settings.get('student', 'student')}"
    title += f" {'distilled' if soft else 'trained'} on {source or 'unknown data'}"
    header = ModelCardData(
        model_name=title,
        library_name=library,
        pipeline_tag="text-classification",
        tags=["knowledge-distillation"] * taught + ["text-classification"],
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
        single=any(
            stored_score(row, m)["interval_over"] == TEXTS
            for row in rows
            for m in shown
            if m in row
        ),
        taught=taught,
        soft=soft,
        choice=choice if choice.get("name") == name else None,
        own=own,
        release=release,
        examined=any(
            one["question"] == "fairness" and one["answer"] != "not asked"
            for one in release.get("findings", [])
        ),
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
        "scores": [_interval(metric, row) for metric in metrics],
        "seeds": max((len(row[m]["per_seed"]) for m in scores_of(row)), default=0),
        "examples": row.get("examples", ""),
    }


def _interval(metric: str, row: Mapping) -> str:
    if metric not in row:
        return ""
    found = stored_score(row, metric)
    bounds = found["interval"]
    single = f", {single_run(found['per_seed'])}" * (found["interval_over"] == TEXTS)
    around = f" [{bounds[0]:.3f}, {bounds[1]:.3f}{single}]" if bounds else ""
    return f"{found['mean']:.3f}{around}"
