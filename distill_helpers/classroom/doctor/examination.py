"""Look at a machine before the first lesson: ``python -m distill_helpers doctor``.

Every check answers with a :class:`Finding`: what was seen and, where something
is wrong, one sentence that says what to do. A check that breaks is a finding
too, and the others go on. At the top only the standard library is imported,
so that the doctor comes even to a machine on which nothing else works; what
may take the whole process down, PyTorch and ONNX Runtime, computes in a process
of its own.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass

from ...arguments import CommandLine
from ...lessons.parameters import DEFAULT_RUNS
from . import compute, data, jupyter, machine, packages
from .report import FAIL, Finding, as_text, counts_of, wants_colour


@dataclass(frozen=True)
class Case:
    """What a check may ask for.

    Attributes
    ----------
    network : bool
        The Hub may be asked.
    computed : mapping of str to Future
        What PyTorch and ONNX Runtime say of themselves.
    """

    network: bool
    computed: Mapping[str, Future]

    def facts(self, name: str) -> dict:
        return self.computed[name].result()


CHECKS: dict[str, Callable[[Case], Finding | list[Finding]]] = {
    "Python": lambda _: packages.check_python(packages.declared()),
    "installation": lambda _: packages.check_installation(),
    "packages": lambda _: packages.check_packages(packages.declared()),
    "disk": lambda _: machine.check_disk([DEFAULT_RUNS, *data.hub_folders()]),
    "memory": lambda _: machine.check_memory(),
    "results folder": lambda _: machine.check_results(),
    "Hub cache": lambda _: data.check_hub_cache(),
    "kernel": lambda _: jupyter.check_kernel(),
    "widgets": lambda _: jupyter.check_widgets(),
    "data": lambda _: data.check_data(),
    "progress": lambda _: data.check_progress(),
    "IMDB": lambda _: data.check_imdb(),
    "Hub": lambda case: data.check_hub(case.network),
    "serve": lambda _: packages.check_extra("serve", packages.declared()),
    "phone": lambda _: packages.check_extra("phone", packages.declared()),
    "browser": lambda _: jupyter.check_browser(),
    "cores": lambda case: machine.check_cores(case.facts("PyTorch")),
    "processor": lambda case: machine.check_processor(case.facts("PyTorch")),
    "PyTorch": lambda case: compute.check_computing("PyTorch", case.facts("PyTorch")),
    "ONNX Runtime": lambda case: compute.check_computing(
        "ONNX Runtime", case.facts("ONNX Runtime")
    ),
}
"""Every check, in the order in which the findings are shown."""


def examine(*, network: bool = False) -> list[Finding]:
    """Run every check of `CHECKS`.

    Parameters
    ----------
    network : bool, default False
        Ask the Hub too.

    Returns
    -------
    list of Finding
        A check that raises becomes a failure of that name.
    """
    with ThreadPoolExecutor(2) as pool:  # both start while the others are run
        asked = {
            name: pool.submit(compute.in_child, name) for name in compute.QUESTIONS
        }
        case = Case(network, asked)
        return [
            f for name, check in CHECKS.items() for f in _guarded(name, check, case)
        ]


def _guarded(name: str, check: Callable, *asked: Case) -> list[Finding]:
    try:
        found = check(*asked)
    except Exception as error:
        return [packages.broken(name, f"{type(error).__name__}: {error}")]
    return found if isinstance(found, list) else [found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine this machine; return 1 if something must be mended first."""
    parser = CommandLine(
        prog="distill-kit doctor",
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
        print(data.write_checksums())
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
