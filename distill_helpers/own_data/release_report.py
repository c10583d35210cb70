"""What the release check leaves: a report, its numbers, and the card that carries them."""

from __future__ import annotations

from pathlib import Path

from ..evaluation.cards import CARD, model_card
from ..evaluation.refusal import ALLOW, ASK
from ..evaluation.scorecard import write_json
from ..files import whole_folder
from .blocks import Block, Heading, Items, Table, Words, to_html, to_markdown
from .release import PASSED, Release

_MEANS = {
    "attack": "How much do slips and an attacker take?",
    "forgetting": "What did the student before it know that it does not?",
    "privacy": "Can one tell from its answers who was in its training?",
    "fairness": "Does it answer otherwise if somebody else is meant?",
    "use": "Is the use one that its card allows?",
}


def write_release(release: Release, folder: str | Path) -> Path:
    """Write a release check into a new folder, all or nothing.

    Parameters
    ----------
    release : Release
    folder : str or Path
        Gets ``report.md``, ``report.html``, ``release.json``, and, where the results of
        the student's run are known, its card with the outcome in it, ``README.md``.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If the folder holds something.
    """
    blocks = compose(release)
    title = f"May it go out? {release.student.folder.name}"
    with whole_folder(folder) as made:
        (made / "report.md").write_text(to_markdown(blocks), "utf-8")
        (made / "report.html").write_text(to_html(blocks, title), "utf-8")
        write_json(made / "release.json", release.to_json())
        if release.student.content is not None:
            content = release.student.content | {"release": release.to_json()}
            card = model_card(content, release.label_names)
            (made / CARD).write_text(str(card), "utf-8")
    return Path(folder)


def compose(release: Release) -> list[Block]:
    """Lay a release check out as blocks."""
    import pandas as pd

    rows = {
        one.question: {"asks": _MEANS[one.question], "answer": one.answer}
        for one in release.findings
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")
    use = release.use
    proposed = "No use was named." if use is None else f'The use: "{use.words}".'
    open_ones = [
        f"{one.question}: {one.said}"
        for one in release.findings
        if one.answer != PASSED
    ]
    passed = [
        f"{one.question}: {one.said}"
        for one in release.findings
        if one.answer == PASSED
    ]
    said = {ALLOW: "It may go out.", ASK: "A person has to decide."}.get(
        release.outcome, "It must not go out for this."
    )
    blocks: list[Block] = [
        Heading(f"May it go out? {release.student.folder.name}", 1),
        Words(f"{said} {release.reason[:1].upper()}{release.reason[1:]}."),
        Words(f"{proposed} Measured on the test part of {release.source}."),
        Table(table, "Five questions"),
    ]
    if open_ones:
        blocks += [Heading("Open or failed"), Items(open_ones, beware=True)]
    if passed:
        blocks += [Heading("Passed"), Items(passed)]
    blocks.append(
        Words(
            "A check that passed is no promise: other attacks, other groups of people and"
            " other kinds of text were not looked at."
        )
    )
    return blocks
