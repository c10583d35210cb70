"""The same student through each library: what `peers.py` measures.

Packages are imported where they are used, so that each library is measured in a
process that has loaded no other, and the page is written without any.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass

BATCH, LEARNING_RATE, TEMPERATURE, CLIP = 32, 2e-3, 2.0, 1.0
LONGEST = 256  # tokens of a review, for the teacher and for the student
PREFIXES = ("student_", "teacher_")


@dataclass
class Job:
    """What every library gets: texts, two models, and how long to train.

    Teacher and student share a tokeniser here, to spare a second vocabulary.
    """

    texts: list
    tokenizer: object
    teacher: object
    logits: object  # of the teacher, if they are stored; else None
    passes: int
    folder: str

    @property
    def steps(self) -> int:
        return self.passes * -(-len(self.texts) // BATCH)

    def student(self):
        from distill_helpers.students.registry import build_student

        return build_student("text-cnn", self.tokenizer, seed=0)


# ------------------------------------------------------------------- the kit
def kit(job: Job):
    """Ask once, keep the answers, train."""
    from datasets import Dataset

    from distill_helpers.data.encoding import encode_reviews
    from distill_helpers.teachers.live import HuggingFaceTeacher
    from distill_helpers.training.config import DistillationConfig
    from distill_helpers.training.trainer import DistillationTrainer

    rows, guide = {"text": job.texts}, None
    if job.logits is None:
        guide = HuggingFaceTeacher(
            job.teacher,
            job.tokenizer,
            max_length=LONGEST,
            windows=False,
            progress=False,
        )
    else:
        rows["teacher_logits"] = job.logits.tolist()
    encoded = encode_reviews(Dataset.from_dict(rows), job.tokenizer, guide)
    config = DistillationConfig(
        **trainer_options(job), temperature=TEMPERATURE, alpha=1.0
    )
    trainer = DistillationTrainer(
        job.student(), None, config, encoded, processing_class=job.tokenizer
    )
    trainer.train()
    return trainer.model


def trainer_options(job: Job) -> dict:
    """What the kit's Trainer and that of the tutorials are told."""
    return dict(
        output_dir=job.folder,
        max_steps=job.steps,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="cosine",
        warmup_steps=0,
        max_grad_norm=CLIP,
        per_device_train_batch_size=BATCH,
        optim="adamw_torch_fused",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )


# ------------------------------------------------- what the others share
def loader_of(job: Job):
    """Batches of like length, each with what student and teacher read."""
    import torch
    from torch.utils.data import DataLoader

    from distill_helpers.data.encoding import LengthGroupedSampler, encode_texts

    students = [row.tolist() for row in encode_texts(job.tokenizer, job.texts)]
    rows = [{"student_input_ids": ids} for ids in students]
    if job.logits is None:
        read = job.tokenizer(job.texts, truncation=True, max_length=LONGEST)
        for row, ids in zip(rows, read["input_ids"]):
            row["teacher_input_ids"] = ids
    else:
        for row, answer in zip(rows, torch.as_tensor(job.logits)):
            row["teacher_logits"] = answer
    sampler = LengthGroupedSampler([len(ids) for ids in students], BATCH, 0)
    return DataLoader(rows, BATCH, sampler=sampler, collate_fn=padded)


def padded(rows: list) -> dict:
    """Pad the ids of a batch to its longest row; 0 is padding for both readers."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    batch = {}
    for prefix in PREFIXES:
        name = f"{prefix}input_ids"
        if name in rows[0]:
            ids = [torch.tensor(row[name]) for row in rows]
            batch[name] = pad_sequence(ids, batch_first=True)
            batch[f"{prefix}attention_mask"] = (batch[name] != 0).long()
    if "teacher_logits" in rows[0]:
        batch["teacher_logits"] = torch.stack([row["teacher_logits"] for row in rows])
    return batch


def reader_of(job: Job, model, prefix: str):
    """Wrap a model so that it takes its own part of a batch and gives its logits."""
    from torch import nn

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, **batch):
            if prefix == "teacher_" and "teacher_logits" in batch:
                return batch["teacher_logits"]
            part = ("input_ids", "attention_mask")
            return self.model(*(batch[prefix + name] for name in part)).logits

    return Reader()


def both_readers(job: Job):
    student = job.student().train()
    return student, reader_of(job, student, "student_"), teacher_reader(job)


def teacher_reader(job: Job):
    return reader_of(job, job.teacher.eval(), "teacher_")


def optimizer_of(student):
    import torch

    return torch.optim.AdamW(
        student.parameters(), LEARNING_RATE, weight_decay=0.0, fused=True
    )


# ---------------------------------------------------------------- TextBrewer
def textbrewer(job: Job, cache: bool = False):
    """Its basic distiller; the general one switches the cache off."""
    import torch
    from textbrewer import BasicDistiller, DistillationConfig, TrainingConfig

    student, read, guide = both_readers(job)
    train = TrainingConfig(
        output_dir=job.folder, device="cpu", ckpt_epoch_frequency=10**6
    )
    distil = DistillationConfig(
        temperature=TEMPERATURE,
        kd_loss_weight=TEMPERATURE**2,  # its loss leaves the square out
        is_caching_logits=cache,
    )
    adaptor = lambda batch, logits: {"logits": (logits,)}  # noqa: E731
    distiller = BasicDistiller(train, distil, guide, read, adaptor, adaptor)
    with distiller:
        distiller.train(
            optimizer_of(student),
            loader_of(job),
            num_epochs=job.passes,
            scheduler_class=torch.optim.lr_scheduler.CosineAnnealingLR,
            scheduler_args={"T_max": job.steps},
            max_grad_norm=CLIP,
        )
    return student


def textbrewer_cached(job: Job):
    return textbrewer(job, cache=True)


# -------------------------------------------------------------- torchdistill
def without_torchvision() -> str:
    """Let torchdistill be imported where torchvision cannot be.

    Its box for distillation needs nothing of it; its image models do, and they are
    imported on the way. Empty classes stand in for them during that import.

    Returns
    -------
    str
        What torchvision is: its version, or why something stands in for it.
    """
    try:
        import torchvision

        return torchvision.__version__
    except (ImportError, RuntimeError) as error:
        why = str(error).splitlines()[0]
    names = {
        "torchvision": [],
        "torchvision.datasets": [],
        "torchvision.models": [],
        "torchvision.models.densenet": ["_DenseBlock", "_Transition"],
        "torchvision.models.resnet": ["BasicBlock", "conv1x1"],
    }
    before = {name for name in sys.modules if name.startswith("torchvision")}
    for name in before:
        del sys.modules[name]
    for name, classes in names.items():
        module = sys.modules[name] = types.ModuleType(name)
        for attribute in classes:
            setattr(module, attribute, type(attribute, (), {}))
    sys.modules["torchvision"].models = sys.modules["torchvision.models"]
    import torchdistill.core.distillation
    import torchdistill.losses.high_level
    import torchdistill.losses.mid_level  # noqa: F401

    for name in names:
        del sys.modules[name]
    return f"stood in for ({why})"


def torchdistill(job: Job):
    """Its box, with the loop of its examples."""
    without_torchvision()
    import torch
    from torchdistill.core.distillation import DistillationBox

    student, read, guide = both_readers(job)
    read_all = {"forward_proc": "forward_batch_only_as_kwargs"}
    paths = dict.fromkeys(("student_module_path", "teacher_module_path"), ".")
    ends = dict.fromkeys(("student_module_io", "teacher_module_io"), "output")
    soft = {
        "key": "KDLoss",
        "kwargs": paths | ends | {"temperature": TEMPERATURE, "alpha": 0.0},
    }
    settings = {
        "num_epochs": job.passes,
        "teacher": read_all | {"requires_grad": False},
        "student": read_all | {"requires_grad": True},
        "optimizer": {
            "key": "AdamW",
            "kwargs": {"lr": LEARNING_RATE, "weight_decay": 0.0, "fused": True},
            "max_grad_norm": CLIP,
        },
        "scheduler": {
            "key": "CosineAnnealingLR",
            "kwargs": {"T_max": job.steps},
            "scheduling_step": 1,
        },
        "criterion": {
            "key": "WeightedSumLoss",
            # Without labels its loss leaves the square of the temperature out.
            "kwargs": {
                "sub_terms": {"soft": {"criterion": soft, "weight": TEMPERATURE**2}}
            },
        },
    }
    box = DistillationBox(
        guide, read, {}, settings, torch.device("cpu"), None, False, 1
    )
    loader = loader_of(job)
    for number in range(job.passes):
        box.pre_epoch_process(epoch=number)
        for batch in loader:
            box.post_forward_process(box.forward_process(batch))
        box.post_epoch_process()
    return student


# ----------------------------------------------------- the popular tutorials
def tutorial(job: Job):
    """A Trainer whose loss asks the teacher, in every step."""
    import torch
    from torch.nn import functional as F
    from transformers import Trainer, TrainingArguments

    student, read, guide = both_readers(job)

    class TutorialTrainer(Trainer):
        def compute_loss(self, model, inputs, return_outputs=False, **_):
            own = model(**inputs)
            with torch.no_grad():
                answer = guide(**inputs)
            loss = F.kl_div(
                F.log_softmax(own / TEMPERATURE, dim=-1),
                F.softmax(answer / TEMPERATURE, dim=-1),
                reduction="batchmean",
            )
            loss = loss * TEMPERATURE**2
            return (loss, own) if return_outputs else loss

        def get_train_dataloader(self):
            return loader_of(job)

    options = trainer_options(job) | {"remove_unused_columns": False}
    trainer = TutorialTrainer(read, TrainingArguments(**options))
    trainer.train()
    return student


CONTENDERS: dict[str, Callable] = {
    "this kit": kit,
    "TextBrewer": textbrewer,
    "TextBrewer, its cache on": textbrewer_cached,
    "torchdistill": torchdistill,
    "the tutorials' loop": tutorial,
}
