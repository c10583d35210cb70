"""Distillation with the Hugging Face ``Trainer``, recipes, searches."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "arms": ["Arm", "answered", "hard_answers", "soft_and_hard", "some_of"],
        "checkpoints": ["CheckpointError", "newest_whole"],
        "choosing": ["Choice", "choose_student"],
        "config": ["DistillationConfig"],
        "continual": [
            "Term",
            "fisher_diagonal",
            "learn_next",
            "old_answers",
            "replayed",
            "stay_close",
        ],
        "counted": ["CountedLosses"],
        "curriculum": [
            "CurriculumSampler",
            "check_pacing",
            "curriculum_order",
            "pacing",
            "with_difficulty",
        ],
        "recipes": [
            "judge",
            "step_budget",
            "train_further",
            "train_student",
        ],
        "saving": ["save_run"],
        "search": ["ReportToTrial", "open_study", "run_trials"],
        "self_distillation": ["Generation", "self_distil", "teach_in_turn"],
        "sequence": ["SequenceConfig", "SequenceTrainer"],
        "task": ["DivergedError", "task_metrics"],
        "trainer": ["DistillationTrainer"],
        "weighting": [
            "certainty",
            "example_weights",
            "normalised_weights",
            "shuffled_weights",
            "weighted_reads",
        ],
        "wrong_classes": ["shuffle_wrong_classes"],
    },
)
