"""Where NumPy alone is needed, nothing heavy is imported."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "sklearn", "datasets", "onnxruntime", "accelerate")
LIGHT = (
    "evaluation.cascade",
    "evaluation.comparison",
    "evaluation.metrics",
    "evaluation.statistics",
    "export.service",
    "classroom.collecting",
    "lessons.parameters",
)


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_costs_no_model_library(module):
    code = f"import sys, distill_helpers.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint(HEAVY), sorted(loaded & set(HEAVY))


def test_naming_a_light_part_of_a_room_leaves_the_heavy_ones_alone():
    code = (
        "import sys\n"
        "from distill_helpers import evaluation\n"
        "evaluation.compare_runs, evaluation.run_cascade\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()).isdisjoint(HEAVY)
