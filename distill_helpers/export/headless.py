"""Ask a page as its visitor would: in a real browser, but without a window.

It takes Playwright and a Chromium that is on the machine already; neither is
part of the kit, and nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .browser import PageServer

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ASK = """async (texts) => {
  const found = [];
  for (const text of texts) found.push(await window.student().classify(text));
  return found.map(({label, labels, logits, probabilities, milliseconds}) =>
    ({label, labels, logits, probabilities, milliseconds}));
}"""


class PageFaultError(RuntimeError):
    """A page says that it cannot answer, and why."""


class HeadlessMissingError(RuntimeError):
    """There is no Playwright or no Chromium to ask a page with."""


@dataclass(frozen=True)
class PageAnswer:
    """What a page said of one text.

    Attributes
    ----------
    label : str
        The likeliest.
    logits : tuple of float
    milliseconds : float
        In the page, from text to label.
    labels : tuple of str
        Those that hold; see :class:`~distill_helpers.export.answering.Answer`.
    probabilities : tuple of float
        Of every label.
    """

    label: str
    logits: tuple[float, ...]
    milliseconds: float
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()


def find_chromium() -> str:
    """Return the path of a Chromium, or of a browser made of it.

    The environment variable ``DISTILL_CHROMIUM`` names one; else the usual
    names are looked for.

    Raises
    ------
    HeadlessMissingError
        If there is none.
    """
    named = os.environ.get("DISTILL_CHROMIUM")
    candidates = [named] if named else NAMES
    found = next(filter(None, map(shutil.which, candidates)), None)
    if found is None:
        raise HeadlessMissingError(
            f"no browser found, looked for {', '.join(candidates)}: install Chromium,"
            " or name the program in the environment variable DISTILL_CHROMIUM"
        )
    return found


def ask_page(
    folder: str | Path, texts: Sequence[str], *, seconds: float = 120.0
) -> list[PageAnswer]:
    """Serve a page on this machine, open it out of sight, and ask it.

    Parameters
    ----------
    folder : str or Path
        From :func:`~distill_helpers.export.browser.to_browser`.
    texts : sequence of str
        Asked one after the other.
    seconds : float, default 120
        How long the page may take to be ready.

    Returns
    -------
    list of PageAnswer
        One for each text.

    Raises
    ------
    HeadlessMissingError
        If Playwright or a browser is missing.
    FileNotFoundError
        If there is no page in the folder.
    PageFaultError
        If the page could not load its student, such as a damaged one, or the
        browser does not start or takes too long.
    """
    found = visit_page(folder, ASK, list(texts), seconds=seconds)
    return [
        PageAnswer(
            f["label"],
            tuple(f["logits"]),
            f["milliseconds"],
            tuple(f["labels"]),
            tuple(f["probabilities"]),
        )
        for f in found
    ]


def visit_page(
    folder: str | Path, script: str, given=None, *, seconds: float = 120.0
) -> list:
    """Serve a page on this machine, open it out of sight, and run a script in it.

    Parameters
    ----------
    folder : str or Path
        Its page says by ``data-ready`` of the root element when it can be asked.
    script : str
        A function in JavaScript.
    given : plain data, optional
        Its argument.
    seconds : float, default 120
        How long the page may take to be ready.

    Returns
    -------
    list
        What the function returned.

    Raises
    ------
    HeadlessMissingError, FileNotFoundError, PageFaultError
        As :func:`ask_page`.
    """
    if not (Path(folder) / "index.html").is_file():
        raise FileNotFoundError(f"there is no page in {str(folder)!r}")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise HeadlessMissingError(
            "Playwright is not installed: pip install playwright (no browser of its"
            " own is needed)"
        ) from error
    chromium = find_chromium()

    def visit() -> list:
        with PageServer(folder) as server, sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=chromium, args=[*QUIET])
            try:
                page = browser.new_page()
                page.goto(server.address)
                page.wait_for_selector(
                    "html[data-ready]", timeout=1000 * seconds, state="attached"
                )
                if page.get_attribute("html", "data-ready") != "yes":
                    raise PageFaultError(page.inner_text("#state"))
                return page.evaluate(script, given)
            finally:
                browser.close()

    # In a thread of its own: a notebook's is busy with an event loop, in which
    # Playwright's plain interface does not run.
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(visit).result()
        except Error as error:
            raise PageFaultError(f"the browser gave up: {error.message}") from error
