"""May a student go out? Five questions, in one command.

``distill-kit release STUDENT --data FILE --use "..." --about film movie``

It asks how much slips and an attacker take, what was forgotten, whether training texts
can be told, whether people are treated alike, and whether the card allows the use; it
leaves a report and the card with the outcome.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..arguments import CommandLine, as_typed, option_of

STOPPED = 130
"""The exit status after Ctrl-C."""
STATUS = {"allow": 0, "ask": 3, "refuse": 4}
"""The exit status of each outcome."""


def parser() -> CommandLine:
    """Make the reader of the command line."""
    made = CommandLine(
        prog="distill-kit release",
        description=__doc__.split("\n")[0],
        epilog="Exit status: 0 allowed, 3 a person has to decide, 4 refused.",
    )
    add = made.add_argument
    add("student", metavar="STUDENT", help="what distill delivered, or a bundle")
    add("--data", metavar="FILE", required=True, help="the file that it was made of")
    add("--output", metavar="FOLDER", help="a new folder; default: STUDENT_release")
    add("--use", metavar="SENTENCE", help="what it shall be used for, in English")
    add(
        "--about",
        nargs="+",
        default=[],
        metavar="WORD",
        help="what the texts are about",
    )
    add("--person-decides", action="store_true", help="a person looks at each answer")
    add("--public-texts", action="store_true", help="its training texts are public")
    add("--language", default="en", help="of the file's texts; default en")
    add(
        "--use-language", metavar="LANGUAGE", help="of the texts to read; default alike"
    )
    add("--before", metavar="STUDENT", help="the student that it replaces")
    add("--text-column", default="text", metavar="NAME")
    add("--label-column", default="label", metavar="NAME")
    add("--split-column", default="split", metavar="NAME")
    add("--labelled", type=int, metavar="N", help="as distill was called with it")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Check; return 0 if it may go out, 3 if a person has to decide, 4 if not.

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
    student = Path(given.student)
    output = Path(given.output or student.with_name(f"{student.name}_release"))
    try:
        # They load slowly: --help needs none of it.
        from ..evaluation.refusal import Use
        from .release import release_check
        from .release_report import write_release
        from .request import check_output

        check_output(output)
        use = None
        if given.use is not None:
            language = given.use_language or given.language
            use = Use(given.use, language, given.person_decides)
        found = release_check(
            student,
            given.data,
            use=use,
            about=given.about,
            language=given.language,
            private_texts=not given.public_texts,
            before=given.before,
            say=print,
            text_column=given.text_column,
            label_column=given.label_column,
            split_column=given.split_column,
            labelled=given.labelled,
        )
        write_release(found, output)
    except (ValueError, TypeError, OSError) as error:
        options = {name: option_of(name) for name in vars(given) if name != "student"}
        reader.error(as_typed(str(error), options | {"source": "--data"}))
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return STOPPED
    print(f"\n{found.outcome}: {found.reason}\nwritten to {output}")
    return STATUS[found.outcome]
