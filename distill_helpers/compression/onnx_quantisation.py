"""ONNX files with fewer bits, through ONNX Runtime's quantiser.

*Dynamic* INT8 rounds weights beforehand and activations as they come. *Static*
INT8 rounds both with ranges that calibration texts have shown. *Four bits*
rounds weights in blocks and computes in floating point.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType
from onnxruntime.quantization import quantize_dynamic as ort_dynamic
from onnxruntime.quantization import quantize_static as ort_static

from ..export.onnx import INPUTS, OnnxClassifier, load_graph, operators
from ..files import fresh_path, whole_file

DYNAMIC_OPERATORS = ("MatMul", "Gemm", "Gather")
STATIC_OPERATORS = ("MatMul", "Gemm", "Gather", "Conv")
FOUR_BIT_OPERATORS = ("MatMul", "Gather")
_OF_QUANTISED = {
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "MatMulNBits",
    "GatherBlockQuantized",
}


class AlreadyQuantisedError(ValueError):
    """A file has been quantised before."""


def quantise_dynamic(
    source: str | Path,
    target: str | Path,
    *,
    operators: Sequence[str] | None = None,
    per_channel: bool = True,
) -> Path:
    """Round weights to INT8; activations are rounded while the model runs.

    Parameters
    ----------
    source : str or Path
        An ONNX file in floating point.
    target : str or Path
        Must not exist yet.
    operators : sequence of str, optional
        By default all of ``MatMul``, ``Gemm`` and ``Gather`` (the embedding)
        that the file has.
    per_channel : bool, default True
        A scale for every column of a matrix, not one for all.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    FileNotFoundError, FileExistsError
        If there is no source, or there is a target.
    AlreadyQuantisedError
        If the source has been quantised before.
    ValueError
        If an operator cannot be quantised this way or the file has none of it.

    Notes
    -----
    Weights are stored without a sign. A processor of the x86 kind without VNNI
    adds products of unsigned activations and *signed* weights in sixteen bits,
    which overflow: the same file would then answer otherwise in a browser, on a
    phone and on an older laptop.
    """
    chosen = _chosen(source, operators, DYNAMIC_OPERATORS, "dynamically")

    def work(temporary: Path) -> None:
        ort_dynamic(
            load_graph(source),
            temporary,
            op_types_to_quantize=chosen,
            per_channel=per_channel,
            weight_type=QuantType.QUInt8,
            extra_options={"MatMulConstBOnly": True},
        )

    return _quantised(target, work)


def quantise_static(
    source: str | Path,
    target: str | Path,
    classifier: OnnxClassifier,
    texts: Sequence[str],
    *,
    operators: Sequence[str] | None = None,
    everything: bool = False,
) -> Path:
    """Round weights and activations to INT8, with ranges from real texts.

    Parameters
    ----------
    source, target : str or Path
        As for :func:`quantise_dynamic`.
    classifier : OnnxClassifier
        Of the source: says how texts become its inputs.
    texts : sequence of str
        For calibration: text as the model will read it; no label is needed.
    operators : sequence of str, optional
        By default all of ``MatMul``, ``Gemm``, ``Gather`` and ``Conv`` that
        the file has, where one side is a weight.
    everything : bool, default False
        Quantise every operator that ONNX Runtime can, sums and softmax too,
        as its default does; shown in the lesson for what it costs.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    FileNotFoundError, FileExistsError, AlreadyQuantisedError
        As for :func:`quantise_dynamic`.
    ValueError
        If there is no text, or an operator cannot be quantised.
    """
    if not len(texts):
        raise ValueError(
            "texts must hold at least one text to calibrate with, got none"
        )
    chosen = _chosen(source, operators, STATIC_OPERATORS, "statically")

    def work(temporary: Path) -> None:
        ort_static(
            load_graph(source),
            temporary,
            _Calibration(classifier, texts),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=None if everything else chosen,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={} if everything else {"MatMulConstBOnly": True},
        )

    return _quantised(target, work)


def quantise_four_bits(
    source: str | Path, target: str | Path, *, block: int = 32
) -> Path:
    """Round weights to four bits, with a scale for every block.

    Parameters
    ----------
    source, target : str or Path
        As for :func:`quantise_dynamic`.
    block : int, default 32
        Weights that share a scale: a power of two from 16 on.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    FileNotFoundError, FileExistsError, AlreadyQuantisedError
        As for :func:`quantise_dynamic`.
    ValueError
        If `block` is out of range, or the file has no matrix or embedding.
    """
    if block < 16 or block & (block - 1):
        raise ValueError(f"block must be 16, 32, 64, ..., got {block!r}")
    chosen = _chosen(source, None, FOUR_BIT_OPERATORS, "to four bits")

    def work(temporary: Path) -> None:
        # Importing it sets up logging for everybody, so not at the top.
        from onnxruntime.quantization import matmul_nbits_quantizer

        quantiser = matmul_nbits_quantizer.MatMulNBitsQuantizer(
            load_graph(source),
            block_size=block,
            is_symmetric=True,
            op_types_to_quantize=tuple(chosen),
            quant_axes=(("MatMul", 0), ("Gather", 1)),
        )
        quantiser.process()
        onnx.save(quantiser.model.model, temporary)

    return _quantised(target, work)


class _Calibration(CalibrationDataReader):
    """Feed real texts to ONNX Runtime's calibration, batch by batch."""

    def __init__(self, classifier: OnnxClassifier, texts: Sequence[str]) -> None:
        self._feeds = (
            dict(zip(INPUTS, tensors)) for _, *tensors in classifier.batches(texts)
        )

    def get_next(self):
        """Return the next batch, or None."""
        return next(self._feeds, None)


def _chosen(source, asked, able: Sequence[str], how: str) -> list[str]:
    """Return the operators to quantise; refuse what cannot be."""
    present = operators(source)
    before = sorted(_OF_QUANTISED & set(present))
    if before:
        raise AlreadyQuantisedError(
            f"{str(source)!r} has been quantised already (it holds"
            f" {', '.join(before)}); start from its floating-point source"
        )
    for name in asked or ():
        if name not in able:
            raise ValueError(
                f"operator {name!r} cannot be quantised {how}; {', '.join(able)} can"
            )
        if name not in present:
            raise ValueError(
                f"{str(source)!r} has no operator {name!r}; it has"
                f" {', '.join(sorted(present))}"
            )
    chosen = [name for name in asked or able if name in present]
    if not chosen:
        raise ValueError(
            f"{str(source)!r} has nothing that can be quantised {how}:"
            f" no {', '.join(able)}"
        )
    return chosen


def _quantised(target: str | Path, work: Callable[[Path], None]) -> Path:
    target = fresh_path(target)
    with whole_file(target) as temporary, _hushed():
        work(temporary)
    return target


@contextmanager
def _hushed():
    """Keep the quantiser's advice out of a lesson, and logging as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.addHandler(logging.NullHandler())  # so that nobody configures it
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
