"""Let a language model answer a file of texts.

``distill-kit ask FILE --teacher api:MODEL --classes classes.toml``

It prices what will be sent, asks, keeps every answer, and writes a table of soft
targets that ``--teacher`` reads in its place. Stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...arguments import CommandLine, as_typed, option_of

STOPPED = 130
"""The exit status of a command that was stopped by Ctrl-C."""
_TABLE = "_soft_targets.parquet"
_STORE = "_answers.sqlite"
_SHOWN = 3


def parser() -> CommandLine:
    """Make the reader of the command line."""
    made = CommandLine(
        prog="distill-kit ask",
        description=__doc__.split("\n")[0],
        epilog="The key comes from the environment alone; see docs/own_data.md.",
    )
    add = made.add_argument
    add("source", metavar="FILE", help="texts, some with labels: CSV, Parquet, ...")
    add("--teacher", required=True, metavar="api:MODEL")
    add("--classes", metavar="TOML", help="names of the classes and what they mean")
    add("--output", metavar="PARQUET", help=f"a new file; default: FILE's name{_TABLE}")
    add("--store", metavar="SQLITE", help=f"answers; default: FILE's name{_STORE}")
    add(
        "--dry-run", action="store_true", help="count and price; send and write nothing"
    )
    file = made.add_argument_group("the file")
    add = file.add_argument
    add("--text-column", default="text", metavar="NAME")
    add("--label-column", default="label", metavar="NAME")
    add("--split-column", default="split", metavar="NAME")
    add("--limit", type=int, metavar="N", help="ask about the first N texts alone")
    money = made.add_argument_group("server and money")
    add = money.add_argument
    add("--base-url", metavar="URL", help="default: DISTILL_API_BASE_URL, or DeepSeek")
    add("--max-cost", type=float, metavar="DOLLARS", help="of all answers in the store")
    add("--price", type=float, nargs=2, metavar=("IN", "OUT"), help="a million tokens")
    add("--concurrency", type=int, default=8, help="requests at once; default 8")
    add("--timeout", type=float, default=60, help="seconds for an answer; default 60")
    way = made.add_argument_group("how it is asked")
    add = way.add_argument
    add("--how", default="auto", help="auto, log-probabilities or votes")
    add("--samples", type=int, default=8, help="votes a text; default 8")
    add("--examples", type=int, default=0, metavar="N", help="labelled texts a class")
    add("--prefill", help="begin the answer: deepseek, vllm or plain")
    add("--shuffle", action="store_true", help="name the classes in changing order")
    add(
        "--thinking", action=argparse.BooleanOptionalAction, help="say so to the server"
    )
    add(
        "--as-they-are",
        action="store_true",
        help="send texts without taking addresses and numbers out",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask; return 0, or 130 if it was stopped.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of this process.

    Returns
    -------
    int
    """
    reader = parser()
    given = reader.parse_args(arguments)
    try:
        _ask(given)
    except (ValueError, TypeError, OSError) as error:
        options = {name: option_of(name) for name in vars(given) if name != "source"}
        reader.error(as_typed(str(error), options))
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", file=sys.stderr)
        return STOPPED
    return 0


def _ask(given: argparse.Namespace) -> None:
    from ...files import fresh_path
    from .naming import is_api_name
    from .opening import api_teacher

    if not is_api_name(given.teacher):
        raise ValueError(f"--teacher must be api: and a model, got {given.teacher!r}")
    output = Path(given.output or _beside(given.source, _TABLE))
    if output.suffix != ".parquet":
        raise ValueError(f"--output must end with .parquet, got {str(output)!r}")
    if output.exists():
        raise FileExistsError(f"--output {str(output)!r} exists already; name another")
    store = Path(given.store or _beside(given.source, _STORE))
    if store.suffix != ".sqlite":
        raise ValueError(f"--store must end with .sqlite, got {str(store)!r}")
    texts, labelled, names = _read(given)
    teacher = api_teacher(
        given.teacher,
        store,
        None if given.classes else names,
        classes=given.classes,
        base_url=given.base_url,
        max_cost=given.max_cost,
        timeout=given.timeout,
        examples=given.examples,
        labelled=labelled,
        price=given.price,
        how=given.how,
        samples=given.samples,
        prefill=given.prefill,
        shuffle=given.shuffle,
        thinking=given.thinking,
        scrubbed=not given.as_they_are,
        concurrency=given.concurrency,
    )
    print(teacher.estimate([*texts, *(text for text, _ in teacher.labelled)]))
    if given.dry_run:
        return
    _write(teacher, texts, fresh_path(output))


def _beside(source: str, ending: str) -> str:
    return f"{Path(source).name.partition('.')[0]}{ending}"


def _read(given: argparse.Namespace):
    """Return the texts, the labelled rows of train and the classes of a file."""
    from ...data.cleaning import clean_text, has_content
    from ...data.reviews import load_reviews
    from ...data.table_files import read_table

    wanted = (given.text_column, given.label_column, given.split_column)
    cells = read_table(given.source, wanted=wanted)
    if given.text_column not in cells.columns:
        raise ValueError(
            f"--text-column {given.text_column!r} is none of {list(cells.columns)}"
        )
    texts = [clean_text(str(text or "")) for text in cells.columns[given.text_column]]
    texts = [text for text in dict.fromkeys(texts) if has_content(text)][: given.limit]
    if not texts:
        raise ValueError(f"source={given.source!r} holds no text to ask about")
    if given.label_column not in cells.columns:
        return texts, [], None
    reviews = load_reviews(
        given.source,
        text_column=given.text_column,
        label_column=given.label_column,
        split_column=given.split_column,
    )
    train, names = reviews["train"], list(reviews.label_names)
    asked = set(texts)
    rows = [(t, names[n]) for t, n in zip(train["text"], train["label"]) if t in asked]
    return texts, rows, names


def _write(teacher, texts: Sequence[str], output: Path) -> None:
    from ...data.cleaning import text_hash
    from ..stored import write_soft_targets

    known = teacher.knows(texts)
    answered = [text for text, found in zip(texts, known) if found]
    silent = [text for text, found in zip(texts, known) if not found]
    if not answered:
        raise ValueError(
            f"the model has no usable answer to any of the {len(texts):,} texts:"
            f" {teacher.about['answers']}; look at some of them, and at --classes"
        )
    logits = teacher.logits(answered)
    keys = [text_hash(text) for text in answered]
    write_soft_targets(output, keys, logits, teacher.fingerprint, teacher.label_names)
    about = teacher.about
    for name, value in about.items():
        if name != "warnings" and value is not None:
            print(f"{name}: {value}")
    for warning in about["warnings"]:
        print(f"! {warning}")
    for text, answer in list(zip(silent, teacher.ask(silent)))[:_SHOWN]:
        print(f"! {answer.how}: {text[:60]!r}")
    print(f"soft targets of {len(answered):,} texts lie in {output}")
