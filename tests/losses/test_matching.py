"""Hidden states: matched by declaration, projected outside the student."""

import pytest
import torch
from conftest import small_bert
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForSequenceClassification

from distill_helpers import DistillationConfig, DistillationTrainer
from distill_helpers.losses.hidden import hidden_state_loss
from distill_helpers.losses.matching import HiddenStateMatcher, LayerMatch
from distill_helpers.training.trainer import PROJECTIONS


@pytest.fixture
def pair(bert_tokenizer):
    """A student of width 16 and a teacher of width 32 that read alike."""
    torch.manual_seed(0)
    student = small_bert(
        bert_tokenizer,
        hidden_size=16,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return student, small_bert(bert_tokenizer, num_hidden_layers=2)


def matcher(pair, tokenizer, *matches):
    student, teacher = pair
    return HiddenStateMatcher(
        teacher, tokenizer, student, tokenizer, matches or (LayerMatch(),)
    )


def trainer(tmp_path, pair, tokenizer, data, hidden, **options):
    args = DistillationConfig(
        output_dir=str(tmp_path),
        alpha=0.0,
        use_cpu=True,
        disable_tqdm=True,
        **(
            {"max_steps": 2, "per_device_train_batch_size": 8, "save_strategy": "no"}
            | options
        ),
    )
    return DistillationTrainer(
        pair[0], None, args, data, processing_class=tokenizer, hidden_states=hidden
    )


def batch_of(tokenizer, data, count=8):
    return tokenizer(
        list(data["text"][:count]),
        padding=True,
        truncation=True,
        max_length=64,
        return_tensors="pt",
        return_token_type_ids=False,
    )


def test_the_loss_is_the_weighted_sum_of_its_matches(pair, bert_tokenizer, labelled):
    batch = batch_of(bert_tokenizer, labelled)
    matches = (LayerMatch(1, 2, 2.0), LayerMatch(0, 0, 0.5))
    hidden = matcher(pair, bert_tokenizer, *matches)
    student, teacher = (
        model(**batch, output_hidden_states=True).hidden_states for model in pair
    )
    expected = sum(
        m.weight
        * hidden_state_loss(
            student[m.student], teacher[m.teacher], batch["attention_mask"], projection
        )
        for m, projection in zip(matches, hidden.projections)
    )
    got = hidden(student, batch["input_ids"], batch["attention_mask"])
    assert got.item() == pytest.approx(expected.item(), rel=1e-6)


def test_equal_widths_need_no_projection(pair, bert_tokenizer):
    hidden = matcher((pair[1], pair[1]), bert_tokenizer)
    assert isinstance(hidden.projections[0], nn.Identity)
    assert not list(hidden.parameters())


def test_the_teacher_neither_trains_nor_is_saved(pair, bert_tokenizer):
    hidden = matcher(pair, bert_tokenizer)
    assert set(hidden.state_dict()) == {"projections.0.weight", "projections.0.bias"}
    assert not any(p.requires_grad for p in pair[1].parameters())


def test_training_moves_student_and_projection_towards_the_teacher(
    tmp_path, pair, bert_tokenizer, labelled
):
    hidden = matcher(pair, bert_tokenizer)
    before = [p.detach().clone() for p in pair[1].parameters()]
    batch = batch_of(bert_tokenizer, labelled)

    def distance():
        with torch.no_grad():
            states = pair[0].eval()(**batch, output_hidden_states=True).hidden_states
            return hidden(states, **batch).item()

    at_first = distance()
    run = trainer(
        tmp_path,
        pair,
        bert_tokenizer,
        labelled,
        hidden,
        max_steps=30,
        learning_rate=1e-2,
        logging_steps=5,
    )
    run.train()
    assert distance() < 0.7 * at_first
    assert all(torch.equal(a, b) for a, b in zip(before, pair[1].parameters()))
    logged = [entry for entry in run.state.log_history if "hidden_states" in entry]
    assert logged[-1]["hidden_states"] < logged[0]["hidden_states"]
    groups = run.optimizer.param_groups
    assert [p.shape for p in groups[-1]["params"]] == [(32, 16), (32,)]


def test_the_gradient_is_that_of_both_terms_and_accumulates_exactly(
    tmp_path, pair, bert_tokenizer, labelled
):
    student, teacher = pair
    state = {k: v.clone() for k, v in student.state_dict().items()}
    gradients = {}
    for parts in (1, 4):
        student.load_state_dict(state)
        hidden = matcher(pair, bert_tokenizer)
        run = trainer(
            tmp_path,
            pair,
            bert_tokenizer,
            labelled.select(range(8)),
            hidden,
            max_steps=1,
            per_device_train_batch_size=8 // parts,
            gradient_accumulation_steps=parts,
            max_grad_norm=0.0,
            optim="sgd",
            learning_rate=1.0,
            lr_scheduler_type="constant",
            warmup_steps=0,
            weight_decay=0.0,
        )
        run.train()
        gradients[parts] = torch.cat(
            [(state[k] - v).flatten() for k, v in student.named_parameters()]
            + [p.detach().flatten() for p in hidden.parameters()]
        )
    assert torch.allclose(gradients[1], gradients[4], atol=1e-5)
    assert gradients[1].abs().max() > 1e-3


def test_the_saved_student_is_free_of_the_projection(
    tmp_path, pair, bert_tokenizer, labelled
):
    run = trainer(
        tmp_path, pair, bert_tokenizer, labelled, matcher(pair, bert_tokenizer)
    )
    run.train()
    run.save_model(str(tmp_path / "student"))
    saved = load_file(tmp_path / "student" / "model.safetensors")
    assert set(saved) == set(pair[0].state_dict())
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "student")
    assert again.config.hidden_size == 16
    assert set(load_file(tmp_path / "student" / PROJECTIONS)) == {
        "projections.0.weight",
        "projections.0.bias",
    }


def test_a_resumed_run_ends_with_the_same_projection(
    tmp_path, pair, bert_tokenizer, labelled
):
    state = {k: v.clone() for k, v in pair[0].state_dict().items()}
    ends = []
    for resumed in (False, True):
        pair[0].load_state_dict(state)
        hidden = matcher(pair, bert_tokenizer)
        options = {"max_steps": 6, "save_strategy": "steps", "save_steps": 3}
        run = trainer(
            tmp_path / "run", pair, bert_tokenizer, labelled, hidden, **options
        )
        run.train(
            resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-3")
            if resumed
            else None
        )
        ends.append([p.detach().clone() for p in hidden.parameters()])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*ends))


def test_evaluation_does_not_ask_for_hidden_states(
    tmp_path, pair, bert_tokenizer, labelled
):
    hidden = matcher(pair, bert_tokenizer)
    run = trainer(tmp_path, pair, bert_tokenizer, labelled, hidden)
    run.eval_dataset = run.train_dataset
    assert "eval_hidden_states" not in run.evaluate()
    assert [loss.name for loss in run.losses] == [
        "kd",
        "cross_entropy",
        "hidden_states",
    ]


@pytest.mark.parametrize(
    ("matches", "message"),
    [
        ((LayerMatch(5, 0),), "student has hidden states 0 to 1, got 5"),
        ((LayerMatch(0, -4),), "teacher has hidden states 0 to 2, got -4"),
        ((LayerMatch(0, 0, 0.0),), "weight must be"),
        ((LayerMatch(0, 0, float("nan")),), "weight must be"),
    ],
)
def test_a_match_that_cannot_be_is_refused(pair, bert_tokenizer, matches, message):
    with pytest.raises(ValueError, match=message):
        matcher(pair, bert_tokenizer, *matches)


def test_another_vocabulary_is_refused(pair, bert_tokenizer, tokenizers):
    with pytest.raises(ValueError, match="two different words"):
        HiddenStateMatcher(
            pair[1], bert_tokenizer, pair[0], tokenizers["tiny-transformer"]
        )


def test_a_student_without_hidden_states_is_refused(pair, tokenizers):
    from distill_helpers import build_student

    tokenizer = tokenizers["bigram"]
    bigram = build_student("bigram", tokenizer)
    with pytest.raises(ValueError, match="no hidden states"):
        HiddenStateMatcher(pair[1], tokenizer, bigram, tokenizer)
