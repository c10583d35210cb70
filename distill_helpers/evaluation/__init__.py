"""Quality, cost and honest comparisons of any model."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "cards": ["model_card"],
        "cascade": [
            "CascadeResult",
            "Stage",
            "choose_threshold",
            "choose_thresholds",
            "confidence",
            "run_cascade",
        ],
        "comparison": [
            "Comparison",
            "Runs",
            "WORSE",
            "compare_rows",
            "compare_runs",
            "comparison_table",
        ],
        "cost": [
            "Cost",
            "count_parameters",
            "measure_cost",
            "one_thread",
            "race",
            "size_on_disk",
        ],
        "generation": ["Generations", "generate_texts"],
        "hardware": ["machine"],
        "memory": ["MemoryBudget", "PeakMemory", "fit_batch_size"],
        "metrics": [
            "METRICS",
            "Quality",
            "SEVERAL_METRICS",
            "chosen_labels",
            "expected_calibration_error",
            "measure_quality",
            "probabilities",
            "same_decisions",
            "softmax",
        ],
        "predict": ["predict_encoded", "predictor"],
        "scorecard": [
            "Row",
            "results",
            "side_by_side",
            "stored_results",
            "table",
            "write_json",
        ],
        "sql": [
            "QueryResult",
            "SqlLimits",
            "agreed_query",
            "run_query",
            "same_result",
            "write_database",
        ],
        "statistics": [
            "interval",
            "mcnemar",
            "mean_share_interval",
            "share_interval",
            "sign_test",
            "summary",
        ],
        "text_scores": ["bleu", "exact_matches", "read_answer", "rouge_l"],
    },
)
