"""A domain opened as a project, and its heavy work spread over two processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ... import own_data
from ...own_data.weighing import Weighed
from ..workers import spread
from .fronts import weigh
from .market_project import MarketProject
from .stories import story_of
from .text_project import Settings, TextProject

Project = TextProject | MarketProject


@dataclass(frozen=True)
class Task:
    """One half of the work, as plain data for a process of its own."""

    domain: str
    settings: Settings
    students: tuple[str, ...]
    forms: tuple[str, ...]
    budget_mb: float
    weighs: bool
    """Whether it weighs all students; else it trains the one kind."""


def open_project(domain: str, settings: Settings) -> Project:
    """Open a domain.

    Parameters
    ----------
    domain : {"support", "medical", "finance", "legal"}
    settings : Settings

    Returns
    -------
    TextProject or MarketProject

    Raises
    ------
    ValueError
        If there is no such domain, or a class has no row.
    """
    story = story_of(domain)
    return (TextProject if story.source else MarketProject)(story, settings)


def learn_and_weigh(
    project: Project,
    students: Sequence[str],
    forms: Sequence[str],
    budget_mb: float,
    processes: int = 2,
) -> Weighed:
    """Train teacher, control and students, and weigh every kind of student beside it.

    Parameters
    ----------
    project : TextProject or MarketProject
        It has learnt then.
    students, forms : sequence of str
        As for :func:`~distill_helpers.lessons.l13.fronts.weigh`.
    budget_mb : float
    processes : int, default 2

    Returns
    -------
    Weighed
    """
    if project.numeric:
        project.learn()
        return weigh(project, students, forms, budget_mb)
    domain, settings = project.story.domain, project.settings
    project.file  # noqa: B018 - it is written before two processes read it
    tasks = [
        Task(domain, settings, tuple(students), tuple(forms), budget_mb, weighs)
        for weighs in (True, False)
    ]
    weighed, _ = spread(work, tasks, processes, "students and forms; seeds")
    project.learn(progress=False)  # what is trained already is read again
    return weighed


def work(task: Task) -> Weighed | None:
    """Do one half of the work; finished students are kept in the working folder.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Weighed or None
    """
    torch.set_num_threads(1)
    project = open_project(task.domain, task.settings)
    if task.weighs:
        return weigh(project, task.students, task.forms, task.budget_mb, progress=False)
    texts = own_data.look(project.request)
    guide = own_data.open_guide(project.request, texts, progress=False)
    own_data.train(project.request, texts, guide, progress=False)
    return None
