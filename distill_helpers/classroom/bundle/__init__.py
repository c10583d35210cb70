"""The kit in one folder, for laptops without a network."""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "installing": ["BundleError", "Target", "check", "install", "this_target"],
        "packing": ["pack"],
    },
)
