"""A student that leaves the notebook: bundle, browser page, phone file.

``bundle`` puts model, tokeniser and label names into one folder and answers
from it, ``browser`` makes a page of such a folder or of a packed student,
``executorch`` writes a program for a phone.
"""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "answering": ["Answer", "answers"],
        "browser": [
            "PageServer",
            "RuntimeMissingError",
            "download_bytes",
            "runtime_files",
            "to_browser",
        ],
        "browser_cards": ["ask_cards_page", "cards_to_browser"],
        "bundle": [
            "DamagedBundleError",
            "TextClassifier",
            "bundle_bytes",
            "read_about",
            "write_bundle",
        ],
        "executorch": ["PhoneClassifier", "to_executorch"],
        "headless": [
            "HeadlessMissingError",
            "PageAnswer",
            "PageFaultError",
            "ask_page",
            "find_chromium",
        ],
        "latency": ["PARTS", "latency_budget", "page_latency"],
        "limits": ["AnswerCache", "Limits", "TokenBucket"],
        "onnx": [
            "OnnxClassifier",
            "load_graph",
            "operators",
            "stored_bytes",
            "trace_onnx",
        ],
        "onnx_cards": ["OnnxCards", "trace_cards"],
        "other_machine": ["answer_questions", "write_questions"],
        "refilling": ["Tracer"],
        "service": ["Refusal", "make_app", "read_question", "running"],
    },
)
