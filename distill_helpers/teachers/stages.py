"""Long pieces of work, each done once and kept whole."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path


def run_stage(
    folder: str | Path, work: Callable[[Path], dict | None]
) -> tuple[Path, dict]:
    """Do a long piece of work once; later calls find its result.

    The work writes into a temporary folder that gets its name only when all
    is done, so that an interrupted stage starts anew and a finished one is
    never half there.

    Parameters
    ----------
    folder : str or Path
        Name of the stage's result.
    work : callable
        Given an empty folder, fills it and returns plain data to remember.

    Returns
    -------
    (Path, dict)
        The folder, and what `work` returned, with ``seconds`` added.
    """
    folder = Path(folder)
    record = folder / "stage.json"
    if record.is_file():
        return folder, json.loads(record.read_text(encoding="utf-8"))
    temporary = folder.with_name(folder.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    start = time.perf_counter()
    content = work(temporary) or {}
    content["seconds"] = round(time.perf_counter() - start, 1)
    (temporary / "stage.json").write_text(json.dumps(content), encoding="utf-8")
    temporary.rename(folder)
    return folder, content
