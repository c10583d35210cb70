"""Classifiers as ONNX graphs: traced from PyTorch, run by ONNX Runtime."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from ..data.class_order import config_names, real_names
from ..data.cleaning import check_texts
from ..data.encoding import (
    PAD_MULTIPLE,
    DistillationCollator,
    device_of,
    encode_texts,
    length_grouped,
)
from ..data.labels import ONE_LABEL, check_problem_type, problem_type_of
from ..files import fresh_path, whole_file
from ..logs import quietly

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "logits"
PROBLEM_TYPE = "problem_type"  # noted in the file where it is not one label a text
LABEL_NAMES = (
    "distill_helpers.label_names"  # noted, as a JSON list, where the model knows them
)
OPSET = 20
_CHATTER = "torch.onnx._internal.exporter._registration"  # what is not installed


def on_the_cpu(model: nn.Module) -> nn.Module:
    """Return a model that lies on the CPU, or a copy that does, for export."""
    if device_of(model).type == "cpu":
        return model
    return copy.deepcopy(model).cpu()


class _Logits(nn.Module):
    """A classifier that takes two tensors and returns one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def trace_onnx(model, path: str | Path) -> Path:
    """Write a classifier as one ONNX file with free batch size and length.

    Parameters
    ----------
    model : PreTrainedModel
        A student, a teacher, or any sequence classifier of transformers that
        reads ``input_ids`` and ``attention_mask``. It stays on its device. That
        it has several labels a text is noted in the file, and so are the names of
        its classes, unless they are ``LABEL_0``, ``LABEL_1``, ...
    path : str or Path
        Must not exist yet.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If there is such a file already.
    """
    ids = torch.arange(48).reshape(2, 24) % 7 + 1
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", min=2)}
    return write_graph(
        _Logits(on_the_cpu(model.eval())),
        path,
        {INPUTS[0]: ids, INPUTS[1]: torch.ones_like(ids)},
        [OUTPUT],
        {name: free for name in INPUTS},
        model,
    )


def write_graph(
    module: nn.Module,
    path: str | Path,
    example: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    free: Mapping[str, Mapping],
    model=None,
) -> Path:
    """Trace a module into one ONNX file that holds nothing of this machine.

    Parameters
    ----------
    module : Module
        On the CPU, in evaluation mode; takes the inputs by name.
    path : str or Path
        Must not exist yet.
    example : mapping of str to Tensor
        A batch of two or more, by the inputs' names.
    outputs : sequence of str
        What its outputs are called.
    free : mapping of str to mapping
        Of each input, the dimensions that may change.
    model : PreTrainedModel, optional
        Whose kind of labels and class names are noted.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If there is such a file already.
    """
    path = fresh_path(path)
    logging.getLogger(_CHATTER).setLevel(logging.ERROR)
    with quietly(), warnings.catch_warnings(), whole_file(path) as temporary:
        warnings.simplefilter("ignore")  # notes of the exporter to its makers
        torch.onnx.export(
            module,
            (),
            str(temporary),
            kwargs=dict(example),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=dict(free),
            external_data=False,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        graph = onnx.load(temporary)
        _strip(graph)
        _note(graph, model)
        onnx.checker.check_model(graph)
        onnx.save(graph, temporary)
    return path


def _note(graph: onnx.ModelProto, model) -> None:
    """Write into a graph what its answers mean."""
    if model is None:
        return
    problem_type = problem_type_of(model)
    if problem_type != ONE_LABEL:
        graph.metadata_props.add(key=PROBLEM_TYPE, value=problem_type)
    if names := real_names(config_names(getattr(model, "config", None))):
        graph.metadata_props.add(key=LABEL_NAMES, value=json.dumps(names))


def _strip(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes: stale shapes, and where each node came from.

    Shapes that are noted go stale under quantisation; origins hold paths of
    this machine and may weigh more than the weights of a small student.
    """
    del model.graph.value_info[:]
    inside = [node for function in model.functions for node in function.node]
    noted = [model, model.graph, *model.functions, *model.graph.node, *inside]
    noted += [*model.graph.input, *model.graph.output, *model.graph.initializer]
    for entry in noted:
        del entry.metadata_props[:]
        entry.doc_string = ""


def operators(path: str | Path) -> Counter:
    """Count the operators of a graph by name, functions unfolded.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    graph = load_graph(path)
    inside = [node for function in graph.functions for node in function.node]
    return Counter(node.op_type for node in [*graph.graph.node, *inside])


def load_graph(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no ONNX file at {str(path)!r}")
    return onnx.load(path)


def stored_bytes(path: str | Path) -> dict[str, int]:
    """Add up a graph's weights by the operator that reads them.

    Returns
    -------
    dict of str to int
        Bytes by operator, the largest first.
    """
    graph = load_graph(path).graph
    sizes = {t.name: _bytes_of(t) for t in graph.initializer}
    totals: Counter = Counter()
    for node in graph.node:
        for name in node.input:
            totals[node.op_type] += sizes.pop(name, 0)
    return {name: size for name, size in totals.most_common() if size}


def _bytes_of(tensor: onnx.TensorProto) -> int:
    return onnx.numpy_helper.to_array(tensor).nbytes


def one_session(
    path: str | Path, threads: int | None = None
) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU; its threads sleep while they wait.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no ONNX file at {str(path)!r}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )


class OnnxClassifier:
    """An ONNX file that answers texts, as the scorecard wants it.

    Parameters
    ----------
    path : str or Path
        From :func:`trace_onnx`, or a quantised form of it.
    tokenizer : PreTrainedTokenizerBase
        The classifier's.
    batch_size : int, default 64
    threads : int, optional
        Of ONNX Runtime; by default as many as PyTorch uses. They sleep while
        they wait, so that several classifiers can take turns.
    multiple : int, default 32
        Lengths are rounded up to a multiple of it, as PyTorch's classifiers
        have it; at least 2.

    Attributes
    ----------
    problem_type : str
        As noted in the file; one label a text where nothing is.
    label_names : list of str or None
        As noted in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has other inputs than ``input_ids`` and ``attention_mask``.
    """

    def __init__(
        self,
        path: str | Path,
        tokenizer,
        *,
        batch_size: int = 64,
        threads: int | None = None,
        multiple: int = PAD_MULTIPLE,
    ) -> None:
        self.session = one_session(path, threads)
        names = [entry.name for entry in self.session.get_inputs()]
        if set(names) != set(INPUTS):
            raise ValueError(
                f"{str(path)!r} must have the inputs {list(INPUTS)}, got {names}"
            )
        noted = self.session.get_modelmeta().custom_metadata_map
        self.problem_type = check_problem_type(noted.get(PROBLEM_TYPE))
        self.label_names = json.loads(noted.get(LABEL_NAMES, "null"))
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self._collate = DistillationCollator(tokenizer.pad_token_id, multiple)

    def run(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """Return the logits of one batch, shape (batch, classes)."""
        feeds = dict(zip(INPUTS, (input_ids, attention_mask)))
        return self.session.run([OUTPUT], feeds)[0]

    def batches(self, texts: Sequence[str]):
        """Yield the places of some texts and the two tensors that hold them."""
        ids = encode_texts(self.tokenizer, list(texts))
        for rows in length_grouped([len(i) for i in ids], self.batch_size):
            batch = self._collate([{"input_ids": ids[i], "labels": -100} for i in rows])
            yield rows, *(batch[name].numpy() for name in INPUTS)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Answer some texts.

        Returns
        -------
        ndarray of float32, shape (len(texts), classes)
        """
        check_texts(texts)
        if not len(texts):
            shape = self.session.get_outputs()[0].shape
            return np.zeros((0, shape[1] if isinstance(shape[1], int) else 0), "f4")
        answers: dict[int, np.ndarray] = {}
        for rows, input_ids, mask in self.batches(texts):
            answers.update(zip(rows, self.run(input_ids, mask)))
        return np.stack([answers[i] for i in range(len(answers))]).astype(np.float32)

    __call__ = logits
