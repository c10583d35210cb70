"""PyTorch and ONNX Runtime, asked in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from ...places import PROJECT
from .packages import REINSTALL, broken
from .programs import ending, run_program
from .report import FAIL, OK, Finding

OPSET = 20  # as in export.onnx, which imports all of PyTorch


def ask_torch() -> dict:
    """Multiply two matrices in PyTorch, as floats and as whole numbers.

    Returns
    -------
    dict
        ``version``, ``threads``, ``features`` of the processor, and
        ``difference``, the largest one between the two products.
    """
    import torch

    row = torch.arange(64)
    left, right = (row[:, None] + row) % 7, (row[:, None] * row) % 5
    exact = left @ right
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "features": [name for name, there in capabilities.items() if there is True],
        "difference": float((left.float() @ right.float() - exact).abs().max()),
    }


def ask_onnxruntime() -> dict:
    """Make a model of one layer, run it, and multiply by hand.

    Returns
    -------
    dict
        ``version`` and ``difference``, the largest one between both results.
    """
    import numpy as np
    import onnx
    import onnxruntime

    weight = (np.arange(64 * 8).reshape(64, 8) % 11 - 5).astype(np.float32)
    given = (np.arange(4 * 64).reshape(4, 64) % 7 - 3).astype(np.float32)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["given", "weight"], ["product"]),
            onnx.helper.make_node("Relu", ["product"], ["answer"]),
        ],
        "tiny",
        [onnx.helper.make_tensor_value_info("given", kind, [None, 64])],
        [onnx.helper.make_tensor_value_info("answer", kind, [None, 8])],
        [onnx.numpy_helper.from_array(weight, "weight")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=10
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (answer,) = session.run(None, {"given": given})
    right = np.maximum(given @ weight, 0)
    return {
        "version": onnxruntime.__version__,
        "difference": float(np.abs(answer - right).max()),
    }


QUESTIONS = {"PyTorch": ask_torch, "ONNX Runtime": ask_onnxruntime}


def answer(name: str) -> None:
    """Print what one of the two said, as the last line; the child calls it."""
    try:
        facts = QUESTIONS[name]()
    except Exception as error:
        facts = {"error": f"{type(error).__name__}: {error}"}
    print(f"\n{json.dumps(facts)}", flush=True)


def in_child(name: str) -> dict:
    """Ask in another process: a processor that is too old kills the asker.

    Parameters
    ----------
    name : str
        ``"PyTorch"`` or ``"ONNX Runtime"``.

    Returns
    -------
    dict
        What was answered, or ``error`` alone.
    """
    code = f"from {__name__} import answer; answer({name!r})"
    environment = dict(os.environ)
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [before, str(PROJECT)]))
    try:
        done = run_program(
            [sys.executable, "-W", "ignore", "-c", code], None, environment
        )
    except subprocess.TimeoutExpired as error:
        return {"error": f"no answer within {error.timeout} s"}
    if done.returncode:
        return {"error": f"its process ended with {ending(done.returncode)}"}
    return json.loads(done.stdout.splitlines()[-1])


def check_computing(name: str, facts: Mapping) -> Finding:
    """Judge what :func:`in_child` brought.

    Parameters
    ----------
    name : str
    facts : mapping
        ``version`` and ``difference``, or ``error``.
    """
    if "error" in facts:
        return broken(name, facts["error"])
    # Small whole numbers: their products and sums are exact in float32.
    if not facts["difference"] <= 1e-3:
        seen = f"{facts['version']} computes wrongly, off by {facts['difference']:g}"
        return Finding(name, FAIL, seen, REINSTALL)
    return Finding(name, OK, f"{facts['version']} computes rightly")
