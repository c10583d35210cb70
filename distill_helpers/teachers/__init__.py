"""Texts in, logits out: live, cached, stored, several as one."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "base": ["Teacher"],
        "cached": ["CachedTeacher"],
        "finetuning": [
            "average_weights",
            "deal_folds",
            "finetune",
            "finetuned_stage",
            "load_encoder",
            "logits_stage",
            "predict_logits",
            "run_stage",
            "save_teacher",
            "stack_logits",
        ],
        "labelling": ["label_texts"],
        "live": ["HuggingFaceTeacher", "weights_revision"],
        "mixed": ["AverageTeacher", "average_logits", "calibration_temperature"],
        "opening": ["open_teacher"],
        "stand_in": ["stand_in_teacher", "teacher_card", "timed_teacher"],
        "stored": [
            "DamagedFileError",
            "SoftTargets",
            "answerable",
            "read_soft_targets",
            "write_soft_targets",
        ],
        "windows": [
            "split_windows",
            "tokenize_windows",
            "window_batch",
            "window_logits",
        ],
    },
)
