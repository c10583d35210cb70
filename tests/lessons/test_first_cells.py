"""What a lesson's first cell imports, for the reader waits for it."""

import subprocess
import sys

import nbformat
import pytest
from lesson_runs import LESSON, environment

# What comes later, or never, in these lessons; each takes about as long as NumPy.
NEEDLESS = {
    "00": {"transformers", "accelerate", "sklearn", "onnx", "optuna"},
    "01": {"transformers", "accelerate", "datasets", "onnx", "optuna"},
    "02": {"transformers", "accelerate", "datasets", "onnx", "optuna"},
    "03": {"onnx", "onnxruntime", "optuna", "papermill", "IPython"},
}


@pytest.mark.parametrize("lesson", NEEDLESS)
def test_the_imports_of_a_lesson_bring_nothing_that_can_wait(lesson, tmp_path):
    cells = nbformat.read(LESSON[lesson], as_version=4).cells
    imports = next(c.source for c in cells if "lessons.exercises import" in c.source)
    code = f"{imports}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "torch" in loaded and "distill_helpers.lessons.exercises" in loaded
    assert loaded.isdisjoint(NEEDLESS[lesson]), sorted(loaded & NEEDLESS[lesson])
