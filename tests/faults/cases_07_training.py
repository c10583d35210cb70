"""Training that breaks off, diverges or judges nothing; options ignored (7 and 8)."""

import json
import math
import shutil
from functools import cache

import numpy as np
import torch
from helping import text
from judging import Case, gives, refused, says

NAN, INF = math.nan, math.inf
LABELS = [i % 2 for i in range(32)]
SOFT = [[math.sin(i) * 2, math.cos(i) * 3] for i in range(32)]


def data(count=32, **columns):
    from datasets import Dataset

    base = {"text": [text(i) for i in range(count)], "label": LABELS[:count]}
    table = base | columns
    return Dataset.from_dict({k: v for k, v in table.items() if v is not None})


def student(place, **options):
    from distill_helpers.students.registry import build_student

    reader = place.shop.student[1]
    model = build_student("text-cnn", reader, filters=4, embedding_size=8, **options)
    return model, reader


def trainer(place, train=None, evaluation=None, given=None, change=None, **options):
    from distill_helpers.training.config import DistillationConfig
    from distill_helpers.training.trainer import DistillationTrainer

    model, reader = student(place)
    if change is not None:
        change(model)
    settings = {
        "output_dir": str(place.out()),
        "use_cpu": True,
        "disable_tqdm": True,
        "max_steps": 4,
        "save_strategy": "no",
        "per_device_train_batch_size": 8,
        "seed": 1,
    } | options
    return DistillationTrainer(
        model,
        None,
        DistillationConfig(**settings),
        data(teacher_logits=SOFT) if train is None else train,
        evaluation,
        processing_class=reader,
        **(given or {}),
    )


def fit(train=None, evaluation=None, given=None, change=None, **options):
    def act(place):
        made = trainer(place, train, evaluation, given, change, **options)
        made.train()
        return made

    return act


def poisoned(model):
    with torch.no_grad():
        next(model.parameters()).fill_(NAN)


SAVING = {
    "save_strategy": "steps",
    "save_steps": 2,
    "logging_steps": 1,
    "learning_rate": 0.01,
}


FILES = ["optimizer.pt", "scheduler.pt", "rng_state.pth"]


@cache
def whole_run(shop):
    """A run with two checkpoints; each case gets a copy of its folder."""
    from judging import Place

    place = Place(shop.folder / "run-home", shop)
    place.folder.mkdir()
    made = trainer(place, **SAVING)
    made.train()
    weights = torch.cat([p.detach().flatten() for p in made.model.parameters()])
    return place.out(), weights


def resumed(harm=None, again=True, same=True, train=None, **options):
    """Harm the newest checkpoint, and resume the run."""

    def act(place):
        folder, weights = whole_run(place.shop)
        shutil.copytree(folder, place.out())
        if harm is not None:
            harm(place.out() / "checkpoint-4")
        other = train and data(teacher_logits=SOFT, **train)
        made = trainer(place, other, **(SAVING | options))
        start = place.out() / again if isinstance(again, str) else again
        made.train(resume_from_checkpoint=start)
        found = torch.cat([p.detach().flatten() for p in made.model.parameters()])
        return bool(found.equal(weights)) == same

    return act


def chosen(harm):
    """Harm the newest checkpoint, and ask which one a run would go on from."""

    def act(place):
        from distill_helpers.training.checkpoints import newest_whole

        shutil.copytree(whole_run(place.shop)[0], place.out())
        harm(place.out() / "checkpoint-4")
        return newest_whole(place.out(), FILES).name

    return act


def restarted(harm=None, train=None, **options):
    """Harm the newest checkpoint, and compare it with the run that would go on."""

    def act(place):
        from distill_helpers.training.checkpoints import check_facts

        shutil.copytree(whole_run(place.shop)[0], place.out())
        if harm is not None:
            harm(place.out() / "checkpoint-4")
        other = train and data(teacher_logits=SOFT, **train)
        made = trainer(place, other, **(SAVING | options))
        check_facts(place.out() / "checkpoint-4", made.resume_facts())

    return act


def gone(*names):
    def harm(folder):
        for name in names:
            (folder / name).unlink()

    return harm


def cut(name, keep=50):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep])  # fmt: skip


def content(name, value):
    return lambda folder: (folder / name).write_text(value)


def facts(**changes):
    def harm(folder):
        path = folder / "distillation.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return harm


def both(*harms):
    def harm(folder):
        for one in harms:
            one(folder)

    return harm


def all_torn(folder):
    for path in folder.parent.glob("checkpoint-*"):
        (path / "optimizer.pt").unlink()


def in_place_of_folder(folder):
    shutil.rmtree(folder)
    folder.write_text("a file")


def newer(folder):
    shutil.copytree(folder, folder.parent / "checkpoint-99")
    (folder.parent / "checkpoint-99" / "model.safetensors").write_bytes(b"")


# ------------------------------------------------------------------ losses and scores
def t(*rows, dtype=torch.float32):
    return torch.tensor(rows, dtype=dtype)


S, T = t([1.0, 2.0], [0.5, -1.0]), t([2.0, 1.0], [0.0, 3.0])
Y = torch.tensor([0, 1])


def loss(name, *arguments, **options):
    def act(place):
        import distill_helpers.losses as losses

        return getattr(losses, name)(*arguments, **options)

    return act


def module(*arguments, temperature=2.0, alpha=0.5, **options):
    def act(place):
        from distill_helpers.losses import DistillationLoss

        return DistillationLoss(temperature, alpha, **options)(*arguments)

    return act


def score(*arguments):
    def act(place):
        from distill_helpers.evaluation.metrics import measure_quality

        return measure_quality(*arguments).scores

    return act


def evaluation(name, *arguments, **options):
    def act(place):
        import distill_helpers.evaluation as room

        return getattr(room, name)(*arguments, **options)

    return act


L = np.array([[1.0, 2.0], [0.5, -1.0]])


def runs(*arguments, **options):
    from distill_helpers.evaluation import Runs

    return Runs(*arguments, **options)


def compare(first, second, **options):
    def act(place):
        from distill_helpers.evaluation import compare_runs

        return compare_runs(runs("a", first), runs("b", second), **options)

    return act


CASES = [
    Case(7, "resumed-from-whole", resumed(), gives(True)),
    Case(7, "resumed-says-so", resumed(), says("resuming from checkpoint-4")),
    Case(7, "optimiser-gone", chosen(gone("optimizer.pt")), says("checkpoint-2", "lacks optimizer.pt")),
    Case(7, "schedule-gone", chosen(gone("scheduler.pt")), says("lacks scheduler.pt")),
    Case(7, "random-state-gone", chosen(gone("rng_state.pth")), says("lacks rng_state.pth")),
    Case(7, "weights-gone", chosen(gone("model.safetensors")), says("lacks model.safetensors")),
    Case(7, "state-gone", chosen(gone("trainer_state.json")), says("lacks trainer_state.json")),
    Case(7, "optimiser-torn", chosen(cut("optimizer.pt")), says("torn")),
    Case(7, "weights-torn", chosen(cut("model.safetensors", 400)), says("torn")),
    Case(7, "weights-empty", chosen(cut("model.safetensors", 0)), says("torn")),
    Case(7, "state-torn", chosen(cut("trainer_state.json")), says("torn")),
    Case(7, "state-null", chosen(content("trainer_state.json", "null")), says("torn|trainer_state")),
    Case(7, "state-too-deep", chosen(content("trainer_state.json", "[" * 100_000)), says("torn|trainer_state")),
    Case(7, "state-no-utf-8", chosen(lambda f: (f / "trainer_state.json").write_bytes(b"\xff\xfe\x00")), says("torn")),
    Case(7, "facts-torn", chosen(content("distillation.json", "{")), says("distillation.json")),
    Case(7, "facts-a-list", chosen(content("distillation.json", "[]")), says("distillation.json")),
    Case(7, "facts-null", chosen(content("distillation.json", "null")), says("distillation.json")),
    Case(7, "facts-gone", restarted(gone("distillation.json")), says("cannot be checked")),
    Case(7, "a-file-in-the-way", chosen(in_place_of_folder), says("checkpoint-2")),
    Case(7, "an-empty-newer-one", chosen(newer), says("checkpoint-4")),
    Case(7, "all-torn", chosen(all_torn), refused("no whole checkpoint", "lacks optimizer.pt", leaves=True)),
    Case(7, "named-and-torn", resumed(gone("optimizer.pt"), "checkpoint-4"), refused("cannot resume", "optimizer.pt", leaves=True)),
    Case(7, "named-and-not-there", resumed(again="checkpoint-77"), refused("checkpoint-77", "no such folder", leaves=True)),
    Case(7, "no-run-at-all", lambda p: trainer(p, **SAVING).train(resume_from_checkpoint=True), refused("no whole checkpoint", "none")),
    Case(7, "another-temperature", restarted(temperature=3.0), refused("temperature", "2.0", "3.0", leaves=True)),
    Case(7, "another-alpha", restarted(alpha=0.1), refused("alpha", leaves=True)),
    Case(7, "another-seed", restarted(seed=9), refused("seed", leaves=True)),
    Case(7, "other-labels", restarted(train={"label": [1] * 16 + [0] * 16}), refused("data", leaves=True)),
    Case(7, "another-learning-rate", restarted(learning_rate=0.5), refused("learning_rate", leaves=True)),
    Case(7, "another-batch-size", restarted(per_device_train_batch_size=4), refused("batch", leaves=True)),
    Case(7, "another-optimiser", restarted(optim="sgd"), refused("optim", leaves=True)),
    Case(7, "another-schedule", restarted(lr_scheduler_type="linear"), refused("lr_scheduler_type", leaves=True)),
    Case(7, "other-accumulation", restarted(gradient_accumulation_steps=2), refused("gradient_accumulation_steps", leaves=True)),
    Case(7, "another-model", restarted(facts(model="other")), refused("model|belongs to another run", leaves=True)),
    Case(7, "nan-weights", fit(change=poisoned), refused("diverged", "learning_rate")),
    Case(7, "learning-rate-of-a-million", fit(learning_rate=1e30, warmup_steps=0, max_grad_norm=0, max_steps=3), refused("diverged", "learning_rate")),
    Case(7, "control-that-diverges", fit(data(), learning_rate=1e30, warmup_steps=0, max_grad_norm=0, max_steps=3), refused("diverged")),
    Case(7, "judged-by-nothing", fit(evaluation=data(8, label=None), eval_strategy="epoch"), refused("eval_dataset", "no label")),
    Case(7, "judged-by-no-known-label", fit(evaluation=data(8, label=[-100] * 8), eval_strategy="epoch"), refused("eval_dataset", "no label")),
    Case(7, "judged-by-an-empty-set", fit(evaluation=data(0), eval_strategy="epoch"), refused("eval_dataset")),
    Case(7, "taught-by-an-empty-set", fit(data(0)), refused("train_dataset", "empty")),
    Case(7, "taught-by-no-label", fit(data(label=[-100] * 32)), refused("nothing to learn")),
    Case(7, "alpha-one-without-teacher", fit(data(), alpha=1.0), refused("alpha=1", "teacher")),
    Case(7, "one-text", fit(data(1)), gives(lambda made: made.state.global_step == 4)),
    Case(7, "batch-larger-than-data", fit(data(3), per_device_train_batch_size=512), gives(lambda made: made.state.global_step == 4)),
    Case(7, "best-by-no-metric", fit(evaluation=data(8), eval_strategy="steps", eval_steps=2, save_strategy="steps", save_steps=2, load_best_model_at_end=True, metric_for_best_model="precision"), refused("precision", leaves=True)),
    Case(7, "output-is-a-file", lambda p: trainer(p, output_dir=str(p.write("run", "x")), **{k: v for k, v in SAVING.items()}).train(), refused("output_dir|run")),
    # ------------------------------------------------------------------- losses
    Case(7, "loss-of-nan", loss("kd_loss", t([NAN, 1.0], [1.0, 2.0]), T), refused("student_logits", "finite")),
    Case(7, "loss-of-a-nan-teacher", loss("kd_loss", S, t([INF, 1.0], [1.0, 2.0])), refused("teacher_logits", "finite")),
    Case(7, "loss-of-other-shapes", loss("kd_loss", S, t([1.0, 2.0, 3.0])), refused("teacher_logits", "shape")),
    Case(7, "loss-that-would-broadcast", loss("kd_loss", S, t([1.0, 2.0])), refused("teacher_logits", "shape")),
    Case(7, "loss-of-whole-numbers", loss("kd_loss", S.long(), T), refused("student_logits", "floating")),
    Case(7, "loss-of-numpy", loss("kd_loss", S.numpy(), T), refused("student_logits", "Tensor")),
    Case(7, "loss-of-no-example", loss("kd_loss", S[:0], T[:0]), refused("student_logits", "at least one")),
    Case(7, "loss-of-one-class", loss("kd_loss", S[:, :1], T[:, :1]), refused("two classes")),
    Case(7, "loss-at-temperature-zero", loss("kd_loss", S, T, 0.0), refused("temperature", "0")),
    Case(7, "loss-at-temperature-minus", loss("kd_loss", S, T, -1.0), refused("temperature", "-1")),
    Case(7, "loss-at-temperature-nan", loss("kd_loss", S, T, NAN), refused("temperature", "nan")),
    Case(7, "loss-at-temperature-none", loss("kd_loss", S, T, None), refused("temperature", "NoneType")),
    Case(7, "loss-of-huge-logits", loss("kd_loss", S * 1e30, T), gives(lambda x: torch.isfinite(x))),
    Case(7, "loss-in-half-precision", loss("kd_loss", S.half() * 2e4, T.half()), gives(lambda x: torch.isfinite(x) and x.dtype == torch.float32)),
    Case(7, "alpha-two", module(S, T, Y, alpha=2), refused("alpha", "2")),
    Case(7, "labels-of-floats", module(S, T, Y.float()), refused("labels", "int64")),
    Case(7, "labels-too-large", module(S, T, Y + 1), refused("labels", "0..1", "2")),
    Case(7, "labels-of-another-length", module(S, T, Y[:1]), refused("labels", "shape")),
    Case(7, "labels-all-missing", module(S, T, Y * 0 - 100), gives(lambda x: torch.isfinite(x))),
    Case(7, "several-labels-soft", loss("multi_label_cross_entropy", S, t([0.2, 1.0], [1.0, 0.0])), refused("labels", "0 or 1")),
    Case(7, "several-labels-half-missing", loss("multi_label_cross_entropy", S, t([-100.0, 1.0], [1.0, 0.0])), refused("labels", "-100")),
    Case(7, "weights-of-three-classes", module(S, T, Y, class_weights=[1.0, 2.0, 3.0]), refused("class_weights", "2|3")),
    Case(7, "weights-below-zero", module(S, T, Y, class_weights=[-1.0, 2.0]), refused("class_weights", "-1")),
    Case(7, "weights-nan", module(S, T, Y, class_weights=[NAN, 2.0]), refused("class_weights", "nan")),
    Case(7, "weights-all-zero", module(S, T, Y, class_weights=[0.0, 0.0]), refused("class_weights", "above 0")),
    Case(7, "hidden-of-other-widths", loss("hidden_state_loss", torch.ones(1, 2, 3), torch.ones(1, 2, 4)), refused("hidden")),
    Case(7, "hidden-of-nan", loss("hidden_state_loss", torch.ones(1, 2, 3) * NAN, torch.ones(1, 2, 3)), refused("hidden", "finite")),
    Case(7, "hidden-all-masked", loss("hidden_state_loss", torch.ones(1, 2, 3), torch.ones(1, 2, 3), torch.zeros(1, 2)), refused("mask")),
    # ------------------------------------------------------------------- scores
    Case(7, "scores-of-nothing", score(np.zeros((0, 2)), []), refused("0")),
    Case(7, "scores-of-nan", score(L * NAN, [0, 1]), refused("logits", "finite")),
    Case(7, "scores-of-a-row-too-few", score(L, [0, 1, 1]), refused("2", "3")),
    Case(7, "scores-of-an-unknown-class", score(L, [0, 2]), refused("labels", "0..1")),
    Case(7, "scores-of-no-label", score(L, [0, -100]), refused("labels", "-100")),
    Case(7, "scores-of-words", score(L, ["a", "b"]), refused("labels", "'a'|numbers")),
    Case(7, "scores-of-none", score(L, [None, 1]), refused("labels", "None|numbers")),
    Case(7, "scores-of-nan-labels", score(L, [NAN, 1]), refused("labels", "nan")),
    Case(7, "scores-of-a-number-each", score(np.array([0.1, 0.9]), [0, 1]), refused("logits", "shape|dimensions|row")),
    Case(7, "scores-of-words-for-logits", score([["a", "b"]], [0]), refused("logits", "numbers")),
    Case(7, "scores-of-one-class", score(L, [1, 1]), gives(lambda s: s["accuracy"] == 0.5 and np.isfinite(list(s.values())).all())),
    Case(7, "scores-against-a-nan-teacher", score(L, [0, 1], L * NAN), refused("teacher_logits", "finite")),
    Case(7, "scores-against-a-wider-teacher", score(L, [0, 1], np.ones((2, 3))), refused("teacher_logits", "shape")),
    Case(7, "scores-against-too-few-rows", score(L, [0, 1], L[:1]), refused("teacher_logits", "shape")),
    Case(7, "share-of-nothing", evaluation("share_interval", 0, 0), refused("total", "0")),
    Case(7, "share-above-one", evaluation("share_interval", 3, 2), refused("right", "3")),
    Case(7, "interval-of-one-run", evaluation("interval", [0.5]), gives(lambda x: x is None or math.isnan(x[0]) or x[0] is None or len(x) == 2)),
    Case(7, "compare-other-seeds", compare({0: 0.5, 1: 0.6}, {0: 0.4, 2: 0.5}), refused("seed")),
    Case(7, "compare-nan", compare({0: NAN, 1: 0.6}, {0: 0.4, 1: 0.5}), refused("finite|nan|NaN")),
    Case(7, "compare-one-seed", compare({0: 0.5}, {0: 0.4}), refused("seed|two|pair")),
    Case(7, "compare-sure-of-all", compare({0: 0.5, 1: 0.6}, {0: 0.4, 1: 0.5}, confidence=1.0), refused("confidence", "1.0")),
    Case(7, "confidence-of-nan", evaluation("confidence", L * NAN), refused("logits", "finite")),
    Case(7, "softmax-of-huge-logits", evaluation("softmax", L * 1e300), gives(lambda p: np.isfinite(p).all())),
    Case(7, "ece-of-no-bins", evaluation("expected_calibration_error", L, [0, 1], 0), refused("bins", "0")),
    # ---------------------------------------------------------------- kind 8
    Case(8, "label-smoothing", fit(label_smoothing_factor=0.1), refused("label_smoothing_factor")),
    Case(8, "own-loss-function", fit(given={"compute_loss_func": lambda *a, **k: 0}), refused("compute_loss_func", "losses")),
    Case(8, "model-init", fit(given={"model_init": lambda: None}), refused("model_init")),
    Case(8, "label-names", fit(label_names=["label"]), refused("label_names")),
    Case(8, "stock-arguments", lambda p: stock(p), refused("args", "DistillationConfig")),
    Case(8, "no-tokeniser", lambda p: no_tokenizer(p), refused("processing_class")),
    Case(8, "several-evaluation-sets", lambda p: sets_of(p), gives(lambda m: {"eval_a_accuracy", "eval_b_accuracy"} <= set(m))),
    Case(8, "evaluate-a-raw-set", lambda p: trainer(p).evaluate(data(8)), gives(lambda m: "eval_accuracy" in m)),
    Case(8, "evaluate-without-a-set", lambda p: trainer(p).evaluate(), refused("eval_dataset")),
    Case(8, "evaluate-a-set-without-texts", lambda p: trainer(p).evaluate(data(8).remove_columns("text")), refused("text", "label")),
    Case(8, "evaluate-words-for-labels", lambda p: trainer(p).evaluate(data(2, label=["a", "b"])), refused("labels?", "'a'")),
    Case(8, "predict-a-raw-set", lambda p: trainer(p).predict(data(8)).predictions.shape, gives((8, 2))),
    Case(8, "predict-in-the-order-of-the-texts", lambda p: predicted_alike(p), gives(True)),
    Case(8, "predict-without-labels", lambda p: trainer(p).predict(data(8, label=None)).predictions.shape, gives((8, 2))),
    Case(8, "predict-nothing", lambda p: trainer(p).predict(data(0)), refused("empty|no text|at least")),
    Case(8, "predict-a-list", lambda p: trainer(p).predict(["a", "b"]), refused("dataset", "list")),
    Case(8, "group-by-length", fit(train_sampling_strategy="sequential"), gives(lambda m: m.state.global_step == 4)),
    Case(8, "patience-without-evaluation", fit(early_stopping_patience=2), refused("eval")),
    Case(8, "patience-zero", fit(early_stopping_patience=0), refused("early_stopping_patience", "0")),
    Case(8, "temperature-zero", fit(temperature=0), refused("temperature", "0")),
    Case(8, "temperature-a-word", fit(temperature="2"), refused("temperature", "'2'")),
    Case(8, "alpha-minus", fit(alpha=-0.1), refused("alpha", "-0.1")),
    Case(8, "padding-to-zero", fit(pad_to_multiple_of=0), refused("pad_to_multiple_of", "0")),
    Case(8, "learning-rate-nan", fit(learning_rate=NAN), refused("learning_rate", "nan")),
    Case(8, "learning-rate-minus", fit(learning_rate=-1e-3), refused("learning_rate", "-0.001")),
    Case(8, "learning-rate-a-word", fit(learning_rate="1e-3"), refused("learning_rate", "1e-3")),
    Case(8, "no-steps", fit(max_steps=0), refused("max_steps")),
    Case(8, "weights-of-a-word", fit(class_weights="even"), refused("class_weights", "balanced")),
    Case(8, "weights-too-few", fit(class_weights=[1.0]), refused("class_weights")),
    Case(8, "losses-empty", fit(given={"losses": []}), refused("losses", "at least one")),
    Case(8, "losses-a-function", fit(given={"losses": [lambda *a: 0]}), refused("losses", "WeightedLoss")),
    Case(8, "losses-a-name-twice", lambda p: twins(p), refused("losses", "name")),
    Case(8, "an-unknown-option", lambda p: unknown_option(p), refused("student_model|unexpected|no such")),
    Case(8, "recipe-of-an-unknown-student", lambda p: recipe(p, student="gru"), refused("student", "gru")),
    Case(8, "recipe-of-no-steps", lambda p: recipe(p, steps=0), refused("steps", "0")),
    Case(8, "recipe-of-half-a-step", lambda p: recipe(p, steps=1.5), refused("steps", "1.5")),
    Case(8, "recipe-by-no-metric", lambda p: recipe(p, metric="speed"), refused("metric", "speed")),
    Case(8, "recipe-of-three-names", lambda p: recipe(p, label_names=["a", "b", "c"]), refused("2|3|class")),
    Case(8, "recipe-of-one-name", lambda p: recipe(p, label_names=["a"]), refused("label_names", "two")),
    Case(8, "recipe-of-an-unknown-shape", lambda p: recipe(p, shape={"layers": 3}), refused("layers")),
    Case(8, "recipe-of-a-shape-of-zero", lambda p: recipe(p, shape={"filters": 0}), refused("filters", "0")),
    Case(8, "recipe-of-a-wrong-kind", lambda p: recipe(p, problem_type="regression"), refused("problem_type", "regression")),
    Case(8, "recipe-of-raw-texts", lambda p: recipe(p, train=data()), refused("EncodedReviews|train")),
]  # fmt: skip


def stock(place):
    from transformers import TrainingArguments

    from distill_helpers.training.trainer import DistillationTrainer

    model, reader = student(place)
    args = TrainingArguments(str(place.out()), use_cpu=True)
    return DistillationTrainer(model, None, args, data(), processing_class=reader)


def no_tokenizer(place):
    from distill_helpers.training.config import DistillationConfig
    from distill_helpers.training.trainer import DistillationTrainer

    args = DistillationConfig(output_dir=str(place.out()), use_cpu=True)
    return DistillationTrainer(student(place)[0], None, args, data())


def sets_of(place):
    return trainer(place, evaluation={"a": data(8), "b": data(4)}).evaluate()


def predicted_alike(place):
    from distill_helpers.evaluation.predict import predictor

    made = trainer(place)
    raw = data(16, text=[f"{text(i)} " * (16 - i) for i in range(16)])
    found = made.predict(raw).predictions
    alone = predictor(made.model, made.processing_class)(raw["text"])
    return np.allclose(found, alone, atol=1e-5)


def twins(place):
    from distill_helpers.losses import weighted_kd

    return trainer(place, given={"losses": [weighted_kd(2.0), weighted_kd(4.0)]})


def unknown_option(place):
    return trainer(place, given={"student_model": 3})


def recipe(place, student="text-cnn", train=None, **options):
    from distill_helpers.data.encoding import encode_reviews
    from distill_helpers.training.recipes import train_student

    reader = place.shop.student[1]
    reads = encode_reviews(data(teacher_logits=SOFT), reader)
    settings = {"steps": 2, "shape": {"filters": 4, "embedding_size": 8}} | options
    return train_student(student, reader, train or reads, reads, **settings)
