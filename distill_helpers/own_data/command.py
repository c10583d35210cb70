"""From a file of texts to a small model, in one command.

``distill-kit distill FILE --teacher make --output FOLDER``

It says what it found and how long it may take, trains a student with and without
the teacher, and leaves the better one with its report. Stopped, the same command
goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..arguments import CommandLine, as_typed, option_of

STOPPED = 130
"""The exit status of a command that was stopped by Ctrl-C."""
NOTHING_FITS = 3
"""That of one whose budget no student fits."""


def parser() -> CommandLine:
    """Make the reader of the command line."""
    made = CommandLine(
        prog="distill-kit distill",
        description=__doc__.split("\n")[0],
        epilog="The guide is docs/own_data.md.",
    )
    add = made.add_argument
    add("source", metavar="FILE", help="texts and labels: CSV, Parquet, JSON Lines")
    add("--output", metavar="FOLDER", help="a new folder; default: FILE's name_student")
    add("--dry-run", action="store_true", help="say what would be done; write nothing")
    file = made.add_argument_group("the file")
    add = file.add_argument
    add("--text-column", default="text", metavar="NAME")
    add("--label-column", default="label", metavar="NAME")
    add("--split-column", default="split", metavar="NAME")
    add("--several-labels", metavar="CHARACTER", help="stands between labels in a cell")
    add("--labelled", type=int, metavar="N", help="hide all labels but N from training")
    teacher = made.add_argument_group("the teacher")
    add = teacher.add_argument
    add(
        "--teacher", default="make", help="make, a folder, a Hub id, a table, api:MODEL"
    )
    add("--how", default="auto", help="of make: auto, encoder, frozen or linear")
    add("--encoder", metavar="NAME", help="of make: an encoder's folder or Hub id")
    add("--values", help="of a table: probabilities or logits")
    add(
        "--class-names",
        action="append",
        metavar="TEACHERS=FILES",
        help="the teacher's name (or number) of a class and the file's; repeat it",
    )
    add("--classes", metavar="TOML", help="of api: names of classes, what they mean")
    add("--base-url", metavar="URL", help="of api: the server")
    add("--max-cost", type=float, metavar="DOLLARS", help="of api: the budget")
    add("--price", type=float, nargs=2, metavar=("IN", "OUT"), help="a million tokens")
    add("--cache", metavar="FOLDER", help="keep the teacher's answers there")
    add("--ask", type=int, metavar="N", help="about so many texts without a label")
    add(
        "--choose",
        metavar="HOW",
        help="of --ask: random, student-doubt, teacher-doubt, teacher-sure or diverse",
    )
    student = made.add_argument_group("the student")
    add = student.add_argument
    add("--student", default="text-cnn", help="bigram, text-cnn or tiny-transformer")
    add("--students", metavar="NAMES", help="all, or some with commas: weigh them")
    add("--forms", metavar="NAMES", help="of these: fp32, int8, int4, fewer-words, ...")
    add("--budget-mb", type=float, metavar="MB", help="what the bundle may take")
    add("--budget-ms", type=float, metavar="MS", help="what a text may take, here")
    add(
        "--seeds", type=int, default=5, metavar="N", help="runs of each kind; default 5"
    )
    add("--temperature", type=float, default=2.0, help="of the soft targets; default 2")
    add("--alpha", type=float, default=0.9, help="weight of the soft targets, to 1")
    add("--soft-loss", default="kl", help="kl, reverse_kl, jensen_shannon, alpha, ...")
    add(
        "--example-weights", help="what the teacher is sure of counts more: margin, ..."
    )
    add("--epochs", type=float, help="passes over all texts; default: by their number")
    add("--class-weights", help="balanced: a rare class weighs as much as a large one")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Distil; return 0, 3 if no student fits the budget, 130 if it was stopped.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of this process.

    Returns
    -------
    int
    """
    reader = parser()
    given = vars(reader.parse_args(arguments))
    dry_run, seeds = given.pop("dry_run"), given.pop("seeds")
    if seeds < 1:
        reader.error(f"--seeds must be at least 1, got {seeds}")
    try:
        names = _class_names(given.pop("class_names"))
    except ValueError as error:
        reader.error(str(error))
    request = None
    try:
        # They load slowly: --help needs none of it, a refusal only the first.
        from .request import Request

        request = Request(**given, seeds=tuple(range(seeds)), class_names=names)
        from .front import NothingFitsError
        from .whole import distil

        try:
            distil(request, dry_run=dry_run)
        except NothingFitsError as error:
            print(f"\n{error}", file=sys.stderr)
            return NOTHING_FITS
    except (ValueError, TypeError, OSError) as error:
        options = {name: option_of(name) for name in given if name != "source"}
        reader.error(as_typed(str(error), options))
    except KeyboardInterrupt:
        _say_how_to_go_on(request)
        return STOPPED
    return 0


def _class_names(pairs: Sequence[str] | None) -> dict[str | int, str] | None:
    """Read ``THEIRS=OURS``; a number is the teacher's class number."""
    if pairs is None:
        return None
    found: dict[str | int, str] = {}
    for pair in pairs:
        theirs, equals, ours = pair.partition("=")
        if not (theirs and equals and ours):
            raise ValueError(f"--class-names must be TEACHERS=FILES, got {pair!r}")
        key = int(theirs) if theirs.isdecimal() else theirs
        if key in found:
            raise ValueError(f"--class-names names {theirs!r} twice")
        found[key] = ours
    return found


def _say_how_to_go_on(request) -> None:
    kept = request is not None and request.working.is_dir()
    said = "\nstopped"
    if kept:
        said += (
            f"; what is finished lies in {request.working}, the same command goes on"
            " from there"
        )
    print(said, file=sys.stderr)
