"""Texts in, logits out: live, cached, stored, several as one."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "base": ["Teacher"],
        "cached": ["CachedTeacher", "ChangedTeacherError"],
        "finetuning": [
            "average_weights",
            "finetune",
            "finetuned_stage",
            "load_encoder",
            "logits_stage",
            "predict_logits",
            "save_teacher",
            "stack_logits",
        ],
        "folds": ["deal_folds", "stratified_folds"],
        "gated": ["DomainGate", "GatedTeacher"],
        "labelling": ["label_texts"],
        "live": ["HuggingFaceTeacher", "weights_revision"],
        "loading": ["load_classifier"],
        "making": ["MadeTeacher", "make_teacher"],
        "mixed": ["AverageTeacher", "average_logits", "calibration_temperature"],
        "opening": ["open_teacher"],
        "ordering": ["ClassNamesError", "OrderedTeacher", "in_order", "innermost"],
        "small": ["SmallTeacher"],
        "stages": ["run_stage"],
        "stand_in": ["stand_in_teacher", "teacher_card", "timed_teacher"],
        "stored": [
            "DamagedFileError",
            "MissingAnswersError",
            "SoftTargets",
            "answerable",
            "read_soft_targets",
            "read_stored_logits",
            "write_soft_targets",
        ],
        "tables": ["table_teacher"],
        "traces": ["NothingPassedError", "Traces", "rejection_sample"],
        "trust": [
            "Trust",
            "WeakTeacherWarning",
            "check_trust",
            "compare_trust",
            "warn_if_at_chance",
        ],
        "windows": [
            "split_windows",
            "tokenize_windows",
            "window_batch",
            "window_logits",
        ],
    },
)
