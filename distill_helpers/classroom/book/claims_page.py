"""The page of the claims: what is said, and what the stored runs measured.

Nothing is typed here. What is claimed comes from the register of the lessons, the
verdicts from the outputs that are stored in the notebooks and from the results of
the larger runs that the project keeps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from ...lessons.claims import FAILED, HELD, UNTESTED, KnownClaim
from .links import BookError
from .sources import escape_words

COLUMNS = ("claim", "what is said", "what this run measured", "verdict")
VERDICTS = (HELD, FAILED, UNTESTED)


@dataclass(frozen=True)
class Judged:
    """What one stored run says of one claim.

    Attributes
    ----------
    claim : str
        Its number, such as ``"C01"``.
    statement, measured, verdict : str
    run : str
        Which run it was, in words.
    page : str
        The notebook in which it stands, by its place in the project; empty for a
        run of which only the results are kept.
    """

    claim: str
    statement: str
    measured: str
    verdict: str
    run: str
    page: str = ""


class _Tables(HTMLParser):
    """Collects the words of every cell, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open = False

    def handle_starttag(self, tag, attrs) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.open = True

    def handle_endtag(self, tag) -> None:
        if tag in ("td", "th"):
            self.open = False

    def handle_data(self, data) -> None:
        if self.open:
            self.rows[-1][-1] += data


def table_rows(html: str) -> list[list[str]]:
    """Return the words of a table's cells, row by row.

    Examples
    --------
    >>> table_rows("<table><tr><th>a</th><td>1 &lt; 2</td></tr></table>")
    [['a', '1 < 2']]
    """
    parser = _Tables()
    parser.feed(html)
    return [[" ".join(cell.split()) for cell in row] for row in parser.rows]


def judged_in_notebook(notebook: dict, page: str) -> list[Judged]:
    """Return what a notebook's stored outputs say of claims.

    Parameters
    ----------
    notebook : dict
        As in its file.
    page : str
        Its place in the project.

    Returns
    -------
    list of Judged

    Raises
    ------
    BookError
        If a verdict is none of those that a lesson can give.
    """
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            found += _judged_in_table(table_rows(html), page)
    return found


def _judged_in_table(rows: list[list[str]], page: str) -> list[Judged]:
    # pandas writes the names of the columns in one row, that of the index below.
    if len(rows) < 2 or tuple(rows[0][1:]) != COLUMNS[1:] or rows[1][0] != COLUMNS[0]:
        return []
    return [checked(Judged(*row, run="the stored run", page=page)) for row in rows[2:]]


def checked(judged: Judged) -> Judged:
    """Return a judgement whose verdict is one of the three that there are.

    Raises
    ------
    BookError
        If it is not.
    """
    if judged.verdict not in VERDICTS:
        raise BookError(
            f"the verdict on {judged.claim} must be one of {', '.join(VERDICTS)}, got"
            f" {judged.verdict!r} ({judged.page or judged.run})"
        )
    return judged


def judged_in_results(folder: Path) -> list[Judged]:
    """Return what the results of larger runs say of claims.

    Parameters
    ----------
    folder : Path
        ``data/results``.

    Returns
    -------
    list of Judged

    Raises
    ------
    BookError
        As :func:`judged_in_notebook`.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        claims = content.get("claims", []) if isinstance(content, dict) else []
        for claim in claims:
            words = (claim[k] for k in ("id", "statement", "measured", "verdict"))
            run = f"a larger run: {content['title']}"
            found.append(checked(Judged(*words, run=run)))
    return found


def missing(
    register: Mapping[str, KnownClaim], judged: Iterable[Judged]
) -> dict[str, list[str]]:
    """Return the lessons, by claim, whose stored runs should judge it and do not.

    Examples
    --------
    >>> known = {"C01": KnownClaim("fast", "true", ["03", "06"])}
    >>> there = Judged("C01", "fast", "2x", "held", "a run", "notebooks/03_x.ipynb")
    >>> missing(known, [there])
    {'C01': ['06']}
    """
    there = {(one.claim, Path(one.page).name[:2]) for one in judged}
    lacking = {
        id: [lesson for lesson in claim.lessons if (id, lesson) not in there]
        for id, claim in register.items()
    }
    return {id: lessons for id, lessons in lacking.items() if lessons}


def claims_page(
    register: Mapping[str, KnownClaim],
    judged: Sequence[Judged],
    titles: Mapping[str, str],
) -> str:
    """Write the page.

    Parameters
    ----------
    register : mapping of str to KnownClaim
    judged : sequence of Judged
        The notebooks' in their order, then those of larger runs.
    titles : mapping of str to str
        Of each notebook, by its place in the project.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    BookError
        If a claim that was judged is unknown, or no run judges a known one.
    """
    unknown = sorted({one.claim for one in judged} - set(register))
    lacking = missing(register, judged)
    if unknown or lacking:
        raise BookError(
            f"the register has no {', '.join(unknown)}"
            if unknown
            else f"no stored output judges {lacking}: store the outputs of a whole run"
        )
    rows = {id: [one for one in judged if one.claim == id] for id in register}
    overview = [_overview(id, rows[id]) for id in register]
    parts = [_part(id, claim, rows[id], titles) for id, claim in register.items()]
    return "\n".join([_HEAD, *overview, "", *parts])


_HEAD = """# Claims, and what was measured

Articles on distillation repeat some sentences until they sound like laws. Each of
them has a number here. The lessons measure them, and this page shows what the runs
that are stored with the project found: it is made from their outputs, so it says
what they say.

A verdict is bound to its run: another machine, another text or another teacher may
give another one. Run the lesson to see yours. Where a larger run is kept, it stands
below the lesson's.

| claim | what is said | verdicts |
| --- | --- | --- |"""


def _overview(id: str, rows: Sequence[Judged]) -> str:
    verdicts = ", ".join(_counted([one.verdict for one in rows]))
    return f"| [{id}](#{id.lower()}) | {escape_words(rows[0].statement)} | {verdicts} |"


def _counted(verdicts: Sequence[str]) -> list[str]:
    """Say each verdict once.

    Examples
    --------
    >>> _counted(["held", "held", "did not hold"])
    ['held (2)', 'did not hold']
    """
    counts = [(one, verdicts.count(one)) for one in dict.fromkeys(verdicts)]
    return [one if count == 1 else f"{one} ({count})" for one, count in counts]


def _part(
    id: str, claim: KnownClaim, rows: Sequence[Judged], titles: Mapping[str, str]
) -> str:
    lines = [_row(one, titles) for one in rows]
    return "\n".join(
        [
            f"({id.lower()})=",
            f"## {id}: {escape_words(rows[0].statement)}",
            "",
            f"Known before: {escape_words(claim.known)}.",
            "",
            "| run | measured | verdict |",
            "| --- | --- | --- |",
            *lines,
            "",
        ]
    )


def _row(one: Judged, titles: Mapping[str, str]) -> str:
    run = f"[{escape_words(titles[one.page])}]({one.page})" if one.page else one.run
    return f"| {run} | {escape_words(one.measured)} | **{one.verdict}** |"
