"""How fast a model reads, and how long the doctor takes."""

import json
import subprocess
import sys
import time

import torch

from distill_helpers.evaluation.cost import measure_cost
from distill_helpers.evaluation.predict import predictor
from distill_helpers.students.registry import build_student
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.teachers.stand_in import stand_in_teacher


def speed_of(predict, texts):
    """Return reviews a second, in batches."""
    cost = measure_cost(
        predict, texts, parameters=0, bytes_on_disk=0, single=5, batch_size=64
    )
    return cost.reviews_per_second


def test_a_student_reads_at_least_10_times_as_fast_as_its_teacher(benchmark, reviews):
    texts = list(reviews["transfer"]["text"])
    tokenizer = train_tokenizer(texts, "bigram")
    torch.manual_seed(0)
    student = predictor(build_student("bigram", tokenizer).eval(), tokenizer)
    asked = list(reviews["test"]["text"])
    ratio = speed_of(student, asked) / speed_of(stand_in_teacher(texts).logits, asked)
    benchmark.extra_info["student over teacher"] = round(ratio, 1)
    print(f"\nstudent over teacher, reviews a second: {ratio:.1f}")
    benchmark.pedantic(student, (asked[:64],), rounds=1)
    assert ratio >= 10


def test_the_doctor_takes_no_longer_than_a_few_imports_of_torch(benchmark, tmp_path):
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    once = time.perf_counter() - before
    command = [sys.executable, "-m", "distill_helpers", "doctor", "--json"]
    done = benchmark.pedantic(
        subprocess.run,
        (command,),
        {"capture_output": True, "text": True, "cwd": tmp_path},
        rounds=1,
    )
    ratio = json.loads(done.stdout)["seconds"] / once
    benchmark.extra_info["doctor over an import of torch"] = round(ratio, 1)
    print(f"\ndoctor over an import of torch: {ratio:.1f}")
    assert 0 < ratio < 8
