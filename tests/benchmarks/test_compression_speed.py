"""How much smaller and faster an encoder gets: ratios within one run."""

import pytest
import torch
from conftest import small_bert

from distill_helpers.compression.forms import Form, measure_forms
from distill_helpers.compression.onnx_quantisation import quantise_dynamic
from distill_helpers.evaluation.hardware import machine
from distill_helpers.export.onnx import trace_onnx
from distill_helpers.students.tokenizers import train_tokenizer


@pytest.fixture(scope="module")
def forms(reviews, tmp_path_factory):
    """A BERT of the teacher's kind, eager, traced, and in INT8."""
    texts = list(reviews["transfer"]["text"])
    tokenizer = train_tokenizer(texts, "tiny-transformer", max_length=128)
    torch.manual_seed(0)
    bert = small_bert(
        tokenizer,
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
    )
    folder = tmp_path_factory.mktemp("bert")
    traced = trace_onnx(bert, folder / "bert.onnx")
    rounded = quantise_dynamic(traced, folder / "int8.onnx")
    return {
        "eager": Form.of_model(bert, tokenizer),
        "ONNX": Form.of_file(traced, tokenizer),
        "INT8": Form.of_file(rounded, tokenizer),
    }


def test_int8_is_over_3_times_smaller_and_over_2_times_faster(
    benchmark, forms, reviews
):
    texts = list(reviews["test"]["text"])[:100]
    labels = list(reviews["test"]["label"])[:100]
    table = measure_forms(forms, texts, labels, rounds=60)
    print("\n", table[["MB", "smaller", "ms", "faster"]].round(2))
    benchmark.extra_info |= table["faster"].round(2).to_dict()
    benchmark.pedantic(forms["INT8"].answer, (texts[:10],), rounds=1)
    assert table["smaller"]["INT8"] >= 3.5
    assert table["faster"]["ONNX"] >= 1.1
    if "avx512_vnni" not in machine()["cpu_features"]:
        pytest.skip("this processor has no instructions for INT8 (AVX512-VNNI)")
    assert table["faster"]["INT8"] >= 2.5
