"""Trainings side by side: in order, and whatever goes wrong there is told here."""

import math
import os

import pytest

from distill_helpers.lessons.workers import WorkerError, spread


def test_results_come_in_the_order_of_the_tasks():
    tasks = [25.0, 16.0, 9.0, 4.0, 1.0]
    assert spread(math.sqrt, tasks, processes=2) == [5.0, 4.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("function", "task", "message"),
    [
        (int, "seven", "task 0: ValueError: invalid literal"),
        (os._exit, 3, "task 0 ended by itself, exit code 3"),
    ],
    ids=["a task raises", "a process dies"],
)
def test_what_goes_wrong_in_a_process_is_told(function, task, message):
    with pytest.raises(WorkerError, match=message):
        spread(function, [task], processes=1)


def test_a_number_of_processes_is_checked():
    with pytest.raises(ValueError, match="processes must be at least 1"):
        spread(math.sqrt, [1.0], processes=0)
