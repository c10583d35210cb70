"""One notebook, run in a process of its own: what a sweep starts many times.

``python -m distill_helpers.classroom.one_run FOLDER`` runs ``source.ipynb`` in
that folder as its ``request.json`` asks, and leaves the executed copy,
``out/results.json`` and ``error.txt`` there. It ends, and its kernel with it,
as soon as whoever started it closes its standard input or dies.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

SOURCE, EXECUTED, REQUEST = "source.ipynb", "executed.ipynb", "request.json"
RESULTS, ERROR = "out/results.json", "error.txt"
NO_RESULTS = "the notebook ran through but wrote no results.json"


def main(folder: Path) -> None:
    """Run the notebook that lies in a folder; its own failure is no error."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    request = json.loads((folder / REQUEST).read_text("utf-8"))
    error = _execute(folder, request["parameters"], request["cwd"])
    (folder / ERROR).write_text(error, "utf-8")


def _end_with_starter() -> None:
    from .kernels import end_kernels

    while os.read(0, 1024):  # not sys.stdin, whose lock would outlive main
        pass
    end_kernels()
    os._exit(1)


def _execute(folder: Path, parameters: dict, cwd: str) -> str:
    """Return the error that stopped the notebook, or nothing."""
    # jsonschema would build a grammar of web addresses, which no notebook's
    # format has: three of the four seconds that papermill takes to load.
    sys.modules["rfc3987_syntax"] = None
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            str(folder / SOURCE),
            str(folder / EXECUTED),
            parameters=parameters | {"output_dir": str(folder / "out")},
            cwd=cwd,
            progress_bar=False,
        )
    except PapermillExecutionError as raised:
        return f"{raised.ename}: {raised.evalue}"
    except Exception as raised:  # a kernel that died; kept, like any failure
        return f"{type(raised).__name__}: {raised}"
    return "" if (folder / RESULTS).is_file() else NO_RESULTS


if __name__ == "__main__":
    main(Path(sys.argv[1]))
