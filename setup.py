"""The one thing that pyproject.toml cannot say: ``data/`` travels in the wheel.

It becomes ``distill_helpers/shipped/`` there (see ``distill_helpers/places.py``),
and stays where it is in a clone. Everything else is in pyproject.toml.
"""

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages(include=["distill_helpers*"]),
        "distill_helpers.shipped",
    ],
    package_dir={"distill_helpers.shipped": "data"},
)
