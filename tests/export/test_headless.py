"""A page is asked in a real browser, or what is missing is named."""

import asyncio
import builtins
import shutil

import numpy as np
import pytest
from conftest import CHROMIUM

from distill_helpers.compression.onnx_quantisation import quantise_dynamic
from distill_helpers.export.browser import (
    RuntimeMissingError,
    runtime_files,
    to_browser,
)
from distill_helpers.export.bundle import TextClassifier, write_bundle
from distill_helpers.export.headless import (
    HeadlessMissingError,
    ask_page,
    find_chromium,
)
from distill_helpers.export.onnx import trace_onnx


def test_a_page_answers_as_python_does_also_inside_an_event_loop(
    trained, reviews, tmp_path
):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian's package chromium)")
    try:
        runtime_files()
    except RuntimeMissingError as missing:
        pytest.skip(str(missing))
    model, tokenizer = trained("text-cnn")
    traced = trace_onnx(model, tmp_path / "s.onnx")
    small = quantise_dynamic(traced, tmp_path / "s8.onnx")
    bundle = write_bundle(tmp_path / "bundle", small, tokenizer, ["bad", "good"])
    texts = list(reviews["test"]["text"][:5])

    async def in_a_notebook():
        return ask_page(to_browser(bundle, tmp_path / "page"), texts)

    found = asyncio.run(in_a_notebook())
    ours = TextClassifier(bundle).classify(texts)
    assert [f.label for f in found] == [o.label for o in ours]
    np.testing.assert_allclose(
        [f.logits for f in found], [o.logits for o in ours], atol=0.01
    )
    assert all(f.milliseconds > 0 for f in found)


def test_a_browser_is_found_by_its_variable_or_named_as_missing(monkeypatch, tmp_path):
    program = shutil.which("python3") or shutil.which("python")
    monkeypatch.setenv("DISTILL_CHROMIUM", program)
    assert find_chromium() == program
    monkeypatch.setenv("DISTILL_CHROMIUM", "no-such-browser")
    with pytest.raises(HeadlessMissingError, match="looked for no-such-browser"):
        find_chromium()
    monkeypatch.delenv("DISTILL_CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HeadlessMissingError, match="install Chromium"):
        find_chromium()


def test_a_folder_without_a_page_and_a_missing_playwright_are_named(
    monkeypatch, tmp_path
):
    with pytest.raises(FileNotFoundError, match="no page in"):
        ask_page(tmp_path, ["a"])
    (tmp_path / "index.html").write_text("<html></html>")
    real = builtins.__import__

    def without(name, *more, **options):
        if name.startswith("playwright"):
            raise ImportError(name)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HeadlessMissingError, match="Playwright is not installed"):
        ask_page(tmp_path, ["a"])
