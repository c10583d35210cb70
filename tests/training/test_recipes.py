import json

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback, pipeline

from distill_helpers.data.encoding import encode_reviews
from distill_helpers.lessons.claims import Claim, claims_table
from distill_helpers.losses.matching import HiddenStateMatcher
from distill_helpers.students.bigram import BigramConfig
from distill_helpers.students.linear import linear_baseline
from distill_helpers.students.registry import STUDENTS, build_student
from distill_helpers.students.spec import Recipe
from distill_helpers.students.text_cnn import TextCNNConfig
from distill_helpers.students.tiny_transformer import TinyTransformerConfig
from distill_helpers.training.recipes import judge, step_budget, train_student
from distill_helpers.training.saving import save_run

CONFIGS = {
    "bigram": BigramConfig,
    "text-cnn": TextCNNConfig,
    "tiny-transformer": TinyTransformerConfig,
}


@pytest.fixture
def encoded(labelled, tokenizers, counting_teacher):
    tokenizer = tokenizers["bigram"]
    return (
        encode_reviews(labelled, tokenizer),
        encode_reviews(labelled, tokenizer, counting_teacher),
        tokenizer,
    )


def test_every_student_has_a_recipe():
    assert list(STUDENTS) == list(CONFIGS)
    assert all(isinstance(spec.recipe, Recipe) for spec in STUDENTS.values())


def test_the_step_budget_counts_passes():
    batch = STUDENTS["bigram"].recipe.batch_size
    assert step_budget("bigram", 10 * batch, 3) == 30
    assert step_budget("bigram", 10 * batch + 1, 1) == 11
    assert step_budget("bigram", 5, 0.001) == 1
    with pytest.raises(ValueError, match="student must be one of"):
        step_budget("bert", 5, 1)


def test_control_and_distilled_student_differ_only_in_the_targets(
    encoded, texts, labels
):
    alone, taught, tokenizer = encoded
    runs = [
        train_student("bigram", tokenizer, data, alone, steps=30, seed=1)
        for data in (alone, alone, taught)
    ]
    first, again, distilled = (judge(model, tokenizer, texts, labels) for model in runs)
    assert first == again
    assert first.accuracy > 0.9  # it has seen these labels
    assert distilled != first


def test_a_run_is_written_whole_and_never_over_another(encoded, tmp_path):
    alone, _, tokenizer = encoded
    model = train_student("bigram", tokenizer, alone, alone, steps=2)
    folder = save_run(tmp_path / "out", {"rows": []}, model, tokenizer)
    assert sorted(path.name for path in folder.iterdir()) == ["results.json", "student"]
    assert json.loads((folder / "results.json").read_text()) == {"rows": []}
    classify = pipeline("text-classification", model=str(folder / "student"))
    assert classify("a fine film")[0]["label"] in ("negative", "positive")
    with pytest.raises(FileExistsError, match="exists already"):
        save_run(tmp_path / "out", {"rows": [1]}, model, tokenizer)
    assert json.loads((folder / "results.json").read_text()) == {"rows": []}


def test_a_run_that_cannot_be_written_leaves_no_half(encoded, tmp_path):
    alone, _, tokenizer = encoded
    model = train_student("bigram", tokenizer, alone, alone, steps=1)
    with pytest.raises(ValueError, match="JSON"):
        save_run(tmp_path / "out", {"x": float("nan")}, model, tokenizer)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_linear_baseline_learns_from_labels(reviews):
    train, test = reviews["train"], reviews["validation"]
    line = linear_baseline().fit(list(train["text"]), list(train["label"]))
    right = line.predict(list(test["text"])) == np.array(test["label"])
    assert right.mean() > 0.65


def test_a_claim_has_three_verdicts():
    claims = [Claim("C", "said", "seen", held) for held in (True, False, None)]
    assert [c.verdict for c in claims] == ["held", "did not hold", "not testable here"]
    assert claims_table(claims[:1]).loc["C", "verdict"] == "held"
    assert claims[1].to_json()["verdict"] == "did not hold"


def test_three_classes_go_all_the_way(tokenizers, texts):
    import numpy as np

    labels = [i % 3 for i in range(len(texts))]
    data = Dataset.from_dict(
        {
            "text": texts,
            "label": labels,
            "teacher_logits": np.eye(3)[labels].tolist(),
        }
    )
    tokenizer = tokenizers["text-cnn"]
    encoded = encode_reviews(data, tokenizer)
    model = train_student(
        "text-cnn", tokenizer, encoded, encoded, steps=4, label_names=["a", "b", "c"]
    )
    found = judge(model, tokenizer, texts, labels)
    assert 0 <= found.f1 <= 1 and model.config.id2label[2] == "c"


def test_a_student_may_have_another_shape_and_imitate_hidden_states(
    tokenizers, labelled, counting_teacher
):
    tokenizer = tokenizers["tiny-transformer"]
    reads = encode_reviews(labelled, tokenizer, counting_teacher)
    wide = build_student("tiny-transformer", tokenizer, hidden_size=32)
    asked = []

    def match(student):
        asked.append(student)
        return HiddenStateMatcher(wide, tokenizer, student, tokenizer)

    model = train_student(
        "tiny-transformer",
        tokenizer,
        reads,
        reads,
        steps=2,
        shape={"hidden_size": 16, "num_hidden_layers": 1},
        match=match,
        best=False,
    )
    assert asked == [model]
    assert model.config.hidden_size == 16
    with pytest.raises(ValueError, match="no such field"):
        train_student("bigram", tokenizer, reads, reads, steps=1, shape={"size": 1})


def test_every_student_has_a_width():
    for name, spec in STUDENTS.items():
        assert spec.model.config_class is CONFIGS[name]
        assert isinstance(getattr(CONFIGS[name](), spec.width_field), int)


def test_without_a_look_at_validation_the_last_student_is_the_same(
    tokenizers, labelled
):
    tokenizer = tokenizers["bigram"]
    reads = encode_reviews(labelled, tokenizer)
    seen = []

    class Watch(TrainerCallback):
        def on_evaluate(self, args, state, control, **kwargs):
            seen.append(state.global_step)

    def train(**options):
        model = train_student(
            "bigram", tokenizer, reads, reads, steps=6, callbacks=[Watch()], **options
        )
        return model.state_dict()

    often, never = train(best=False, looks=3), train(best=False, looks=0)
    assert seen == [2, 4, 6]
    assert all(torch.equal(often[name], never[name]) for name in often)


@pytest.mark.parametrize("options", [{"looks": 0}, {"looks": -1, "best": False}])
def test_the_best_moment_cannot_be_kept_without_a_look(options, tokenizers, labelled):
    tokenizer = tokenizers["bigram"]
    reads = encode_reviews(labelled, tokenizer)
    with pytest.raises(ValueError, match=f"looks must .* got {options['looks']}"):
        train_student("bigram", tokenizer, reads, reads, steps=6, **options)
