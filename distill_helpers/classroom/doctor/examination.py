"""Look at a machine before the first lesson: ``python -m distill_helpers doctor``.

Every check answers with a :class:`Finding`: what was seen and, where something
is wrong, one sentence that says what to do. A check that breaks is a finding
too, and the others go on. At the top only the standard library is imported,
so that the doctor comes even to a machine on which nothing else works; what
may take the whole process down, PyTorch and ONNX Runtime, computes in a process
of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from ...lessons.parameters import DEFAULT_RUNS
from .compute import QUESTIONS, check_computing, in_child
from .data import (
    check_data,
    check_hub,
    check_hub_cache,
    check_imdb,
    check_progress,
    hub_folders,
    write_checksums,
)
from .jupyter import check_browser, check_kernel, check_widgets
from .machine import (
    check_cores,
    check_disk,
    check_memory,
    check_processor,
    check_results,
)
from .packages import (
    broken,
    check_extra,
    check_installation,
    check_packages,
    check_python,
    declared,
)
from .report import FAIL, Finding, as_text, counts_of, wants_colour


# ----------------------------------------------------------------- all of it
def examine(*, network: bool = False) -> list[Finding]:
    """Run every check.

    Parameters
    ----------
    network : bool, default False
        Ask the Hub too.

    Returns
    -------
    list of Finding
        In a fixed order. A check that raises becomes a failure of that name.
    """
    with ThreadPoolExecutor(2) as pool:  # both start while the others are run
        asked = {name: pool.submit(in_child, name) for name in QUESTIONS}
        torch = asked["PyTorch"].result
        checks: dict[str, Callable[[], Finding | list[Finding]]] = {
            "Python": lambda: check_python(declared()),
            "installation": check_installation,
            "packages": lambda: check_packages(declared()),
            "disk": lambda: check_disk([DEFAULT_RUNS, *hub_folders()]),
            "memory": check_memory,
            "results folder": check_results,
            "Hub cache": check_hub_cache,
            "kernel": check_kernel,
            "widgets": check_widgets,
            "data": check_data,
            "progress": check_progress,
            "IMDB": check_imdb,
            "Hub": lambda: check_hub(network),
            "serve": lambda: check_extra("serve", declared()),
            "phone": lambda: check_extra("phone", declared()),
            "browser": check_browser,
            "cores": lambda: check_cores(torch()),
            "processor": lambda: check_processor(torch()),
        }
        for name in asked:
            checks[name] = lambda name=name: check_computing(name, asked[name].result())
        return [f for name, check in checks.items() for f in _guarded(name, check)]


def _guarded(name: str, check: Callable) -> list[Finding]:
    try:
        found = check()
    except Exception as error:
        return [broken(name, f"{type(error).__name__}: {error}")]
    return found if isinstance(found, list) else [found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine this machine; return 1 if something must be mended first."""
    parser = argparse.ArgumentParser(
        prog="python -m distill_helpers doctor",
        description="Check this machine before the first lesson.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--network", action="store_true", help="ask the Hub too")
    parser.add_argument(
        "--write-checksums",
        action="store_true",
        help="for makers of the kit: store the checksums of data/ and stop",
    )
    options = parser.parse_args(arguments)
    if options.write_checksums:
        print(write_checksums())
        return 0
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):  # for the JSON must stand alone
        findings = examine(network=options.network)
    seconds = round(time.perf_counter() - start, 2)
    if options.json:
        print(json.dumps(_report(findings, seconds), indent=1))
    else:
        if hasattr(sys.stdout, "reconfigure"):  # a path may have any letter
            sys.stdout.reconfigure(errors="backslashreplace")
        print(as_text(findings, wants_colour()), f"in {seconds:.1f} s")
    return 1 if counts_of(findings)[FAIL] else 0


def _report(findings: Sequence[Finding], seconds: float) -> dict:
    return {
        "seconds": seconds,
        "counts": counts_of(findings),
        "findings": [asdict(finding) for finding in findings],
    }
