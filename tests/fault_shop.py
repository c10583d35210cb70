"""What all planted faults share, and the table of how they ended."""

from collections import Counter
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import pytest

FAILURES = ("silent", "traceback", "hang", "lost")


class Shop:
    """Small real models and files, made once and only when a case asks for them."""

    def __init__(self, request, folder: Path):
        self._request, self.folder = request, folder
        self.open = ExitStack()

    def __getattr__(self, name):
        """Any fixture that lives as long as the session."""
        value = self._request.getfixturevalue(name)
        setattr(self, name, value)
        return value

    @cached_property
    def student(self):
        """A text CNN of two classes and its tokeniser; nobody may change them."""
        from distill_helpers.students.registry import build_student

        reader = self.tokenizers["text-cnn"]
        model = build_student("text-cnn", reader, filters=4, embedding_size=8)
        return model.eval(), reader

    @cached_property
    def onnx(self):
        """A classifier as an ONNX file: the mean of two numbers for each token."""
        import numpy as np
        import onnx
        from onnx import TensorProto, helper

        size = len(self.student[1])
        table = np.random.default_rng(0).normal(size=(size, 2)).astype(np.float32)
        shape = ["batch", "length"]
        graph = helper.make_graph(
            [
                helper.make_node("Gather", ["table", "input_ids"], ["each"]),
                helper.make_node("Cast", ["attention_mask"], ["counts"], to=1),
                helper.make_node("Unsqueeze", ["counts", "last"], ["weights"]),
                helper.make_node("Mul", ["each", "weights"], ["kept"]),
                helper.make_node("ReduceSum", ["kept", "one"], ["logits"], keepdims=0),
            ],
            "classifier",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, shape)
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("logits", 1, ["batch", 2])],
            [
                onnx.numpy_helper.from_array(table, "table"),
                onnx.numpy_helper.from_array(np.array([-1]), "last"),
                onnx.numpy_helper.from_array(np.array([1]), "one"),
            ],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
        made.ir_version = 10
        names = '["negative", "positive"]'
        helper.set_model_props(made, {"distill_helpers.label_names": names})
        onnx.save(made, self.folder / "student.onnx")
        return self.folder / "student.onnx"

    @cached_property
    def bundle(self):
        """The student as a bundle; each case takes a copy."""
        from distill_helpers.export.bundle import write_bundle

        names = ["negative", "positive"]
        return write_bundle(self.folder / "bundle", self.onnx, self.student[1], names)

    @cached_property
    def saved(self):
        """The student in a folder, as transformers saves it."""
        folder = self.folder / "saved"
        self.student[0].save_pretrained(folder)
        self.student[1].save_pretrained(folder)
        return folder

    def keep(self, context):
        """Enter a context that lasts until the last case."""
        return self.open.enter_context(context)


@pytest.fixture(scope="session")
def shop(request, tmp_path_factory):
    made = Shop(request, tmp_path_factory.mktemp("shop"))
    with made.open:
        yield made


def pytest_terminal_summary(terminalreporter):
    """Print the table: kind, cases tried, and the four ways to fail."""
    ended = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            ended.update(v for k, v in report.user_properties if k == "fault")
    if not ended:
        return
    kinds = sorted({kind for kind, _ in ended})
    write = terminalreporter.write_line
    terminalreporter.section("planted faults")
    write(f"{'kind':>5}{'cases':>8}" + "".join(f"{name:>11}" for name in FAILURES))
    for kind in [*kinds, "all"]:
        some = {k: n for k, n in ended.items() if kind in (k[0], "all")}
        numbers = [sum(n for (_, f), n in some.items() if f == x) for x in FAILURES]
        total = sum(some.values())
        write(f"{kind:>5}{total:>8}" + "".join(f"{n:>11}" for n in numbers))
