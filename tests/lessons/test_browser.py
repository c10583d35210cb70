"""The lessons in JupyterLab, in a real browser: sliders, themes, no strangers."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READY = """() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session
            ?.kernel?.status === 'idle'"""
HANDLE = ".widget-slider .noUi-handle"

playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed (extra 'test')"
)
from conftest import CHROMIUM  # noqa: E402

from distill_helpers.export.headless import QUIET  # noqa: E402

if CHROMIUM is None:
    pytest.skip(
        "no Chromium on this machine (Debian's package chromium)",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def lab_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(lab_folder):
    """JupyterLab on copies of the lessons; yields its address."""
    folder = lab_folder
    (folder / "notebooks").mkdir()
    for lesson in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"):
        notebook = nbformat.read(lesson, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, folder / "notebooks" / lesson.name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", f"--notebook-dir={folder}"]
    command += ["--IdentityProvider.token=", "--LabApp.news_url=None"]
    command += [
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        "--LabApp.expose_app_in_browser=True",
    ]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "DISTILL_PROGRESS": str(folder / "progress.json"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=folder
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}/api", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def wait_until_up(address, server):
    for _ in range(120):
        assert server.poll() is None, "JupyterLab stopped while starting"
        try:
            urlopen(address, timeout=5).read()
            return
        except (URLError, ConnectionError):
            time.sleep(0.5)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield chromium
        chromium.close()


def opened(browser, lab, lesson, theme):
    """Open a lesson in a theme; return the page and the addresses it asks."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{lab}/lab/tree/notebooks/{lesson}?reset")
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)
    command(page, "apputils:change-theme", theme=f"JupyterLab {theme.title()}")
    light = str(theme == "light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    return page, asked


def command(page, name, **arguments):
    """Give JupyterLab a command."""
    page.evaluate(
        """([name, given]) => {
          window.jupyterapp.commands.execute(name, given); return null; }""",
        [name, arguments],
    )


def run_all(page):
    """Run every cell and wait for the last."""
    command(page, "notebook:run-all-cells")
    page.wait_for_function(
        """() => window.jupyterapp.shell.currentWidget.content.widgets.every(
              cell => cell.model.type !== 'code'
                      || cell.model.executionCount !== null)""",
        timeout=600_000,  # lesson 01 whole, perhaps beside other tests
    )


def strangers(asked):
    """Return the addresses that are not this machine's."""
    own = {"127.0.0.1", "localhost", None}
    return [
        address
        for address in asked
        if urlparse(address).scheme in ("http", "https", "ws", "wss")
        and urlparse(address).hostname not in own
    ]


def save_picture(page, name):
    """Keep a screenshot where DISTILL_SCREENSHOTS names a folder."""
    folder = os.environ.get("DISTILL_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("lesson", "slider"),
    [("01_concepts.ipynb", "temperature"), ("02_losses.ipynb", "temperature")],
)
def test_a_slider_moves_by_keyboard(browser, lab, lesson, slider, theme):
    page, asked = opened(browser, lab, lesson, theme)
    run_all(page)
    assert not page.locator(".jp-RenderedText[data-mime-type*=stderr]").count()
    handle = page.locator(HANDLE).first
    handle.scroll_into_view_if_needed()
    panel = page.locator(".jp-OutputArea-output", has=page.locator(HANDLE)).first
    picture = panel.locator("img").first
    words = panel.locator("[role=status]").first
    label = panel.locator(".widget-slider .widget-label").first
    assert slider in label.text_content()
    before = picture.get_attribute("src"), words.text_content()
    picture.scroll_into_view_if_needed()
    save_picture(page, f"{lesson[:2]}-{theme}-before")
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    playwright.expect(words).not_to_have_text(before[1], timeout=20_000)
    page.wait_for_timeout(1000)  # the last of three pictures
    assert picture.get_attribute("src") != before[0]
    save_picture(page, f"{lesson[:2]}-{theme}-after")
    assert strangers(asked) == []
    command(page, "kernelmenu:shutdown")
    page.close()


SEEN = """() => window.jupyterapp.shell.currentWidget.content.widgets.length"""


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_stored_notebook_opens_without_an_error_wide_and_narrow(
    browser, lab, notebook, lab_folder
):
    """As a reader sees it first: with its stored outputs, nothing run yet."""
    shutil.copyfile(notebook, lab_folder / notebook.name)
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    faults, asked = [], []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{lab}/lab/tree/{notebook.name}?reset")
    page.wait_for_selector(IDLE, timeout=60_000, state="attached")
    page.wait_for_function(READY, timeout=60_000)
    cells = len(nbformat.read(notebook, as_version=4).cells)
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(300)  # JupyterLab lays itself out anew
        assert page.evaluate(SEEN) == cells
        assert not page.locator(".jp-Dialog").count()
        assert not page.locator(".jp-RenderedText[data-mime-type*=stderr]").count()
        save_picture(page, f"{notebook.stem}-{width}")
    assert faults == [] and strangers(asked) == []
    command(page, "kernelmenu:shutdown")
    page.close()
