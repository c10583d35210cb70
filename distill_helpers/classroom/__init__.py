"""What runs a course: the doctor, sweeps, what a class did."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "collecting": ["collect", "pareto_front", "read_sweep", "summarise"],
        "costs": ["costs_table", "read_costs"],
        "knobs": ["KNOBS", "label_curve", "turning", "usual_setting"],
    },
)
