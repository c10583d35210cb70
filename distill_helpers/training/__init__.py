"""Distillation with the Hugging Face ``Trainer``, recipes, searches."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "arms": ["Arm", "hard_answers", "soft_and_hard"],
        "checkpoints": ["CheckpointError", "newest_whole"],
        "choosing": ["Choice", "choose_student"],
        "config": ["DistillationConfig"],
        "counted": ["CountedLosses"],
        "recipes": [
            "judge",
            "step_budget",
            "train_further",
            "train_student",
        ],
        "saving": ["save_run"],
        "search": ["ReportToTrial", "open_study", "run_trials"],
        "sequence": ["SequenceConfig", "SequenceTrainer"],
        "task": ["DivergedError", "task_metrics"],
        "trainer": ["DistillationTrainer"],
    },
)
