"""Write the clinical notes and the contract clauses of ``data/domains``.

``python docs/write_domain_texts.py FOLDER`` writes both files. All sentences stand in
``docs/domain_texts``, written for this project; the draws have a seed, so the files
come out the same. No two texts of a file are nearly the same. A third of the sentences
that tell a class never stands in a labelled training row: who learns from the rows
without a label can know more than who learns from the labelled ones.

Then move the files to ``data/domains`` and call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

import pandas as pd

from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.files import whole_file

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

MATERIAL = Path(__file__).with_name("domain_texts")
SEED = 13
SHARES = {"train": 0.3, "validation": 0.12, "test": 0.25, "transfer": 0.33}
MONTHS = "January March April June August October December".split()


class Writer:
    """Draw sentences of a TOML file; what is drawn follows from the seed alone."""

    def __init__(self, material: dict, seed: int):
        self.slots = material["slots"]
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one_of(self, sentences: list[str], labelled: bool = False) -> str:
        """Draw one; of those that tell a class, train has two thirds."""
        known = [s for i, s in enumerate(sentences) if not labelled or i % 3 < 2]
        return self.said(self.random.choice(known))

    def said(self, sentence: str) -> str:
        """Choose among ``[a|b]`` and fill the slots; names stay for later."""
        while found := re.search(r"\[([^\[\]]*\|[^\[\]]*)\]", sentence):
            choice = self.random.choice(found[1].split("|"))
            sentence = sentence[: found.start()] + choice + sentence[found.end() :]
        for slot in re.findall(r"\{(\w+)\}", sentence):
            if slot in self.slots:
                filled = self.random.choice(self.slots[slot])
                sentence = sentence.replace("{" + slot + "}", filled, 1)
        sentence = re.sub(r" +", " ", sentence).replace(" .", ".").replace(" ,", ",")
        return sentence[:1].upper() + sentence[1:]


# ------------------------------------------------------------------- notes
def note(writer: Writer, material: dict, chapter: str, told: dict, labelled: bool):
    """Return one note as sentences; ``{...}`` are still to be placed."""
    neutral = material["neutral"]
    parts = [writer.one_of(neutral["opening"])] if writer.chance(0.5) else []
    if writer.chance(0.6):
        others = [name for name in material["history"] if name != chapter]
        of = material["history"][writer.random.choice(others)]
        parts.append(writer.one_of(of))
    if writer.chance(0.5):
        parts.append(writer.one_of(neutral["vague"]))
    ways = ["complaint", "finding", "complaint finding", "complaint plan"]
    ways += ["finding plan", "complaint finding plan"]
    way = writer.random.choice(ways)
    for kind in ("complaint", "finding"):
        if kind in way:
            parts.append(writer.one_of(told[kind], labelled))
    if writer.chance(0.5):
        parts.append(writer.one_of(neutral["exam"]))
    if "plan" in way:
        parts.append(writer.one_of(told["plan"], labelled))
    if writer.chance(0.6):
        parts.append(writer.one_of(neutral["plan"]))
    placed = material["placed"]
    if writer.chance(placed["share"]):
        for _ in range(writer.random.choice((1, 1, 2))):
            at = writer.random.randrange(len(parts) + 1)
            parts.insert(at, writer.one_of(placed["sentences"]))
    if writer.chance(0.15):
        parts.append(writer.one_of(placed["lures"]))
    return parts


def invented(writer: Writer, placed: dict, slot: str) -> tuple[str, str]:
    """Return kind and text of one invented name, date or number."""
    draw = writer.random
    first, last = draw.choice(placed["first"]), draw.choice(placed["last"])
    day, month, year = (
        draw.randint(1, 28),
        draw.choice(MONTHS),
        draw.randint(1950, 2024),
    )
    dates = (
        f"{day} {month} {year}",
        f"{day:02d}/{MONTHS.index(month) + 1:02d}/{year}",
        f"{year}-{MONTHS.index(month) + 1:02d}-{day:02d}",
        f"{day} {month}",
    )
    made = {
        "name_first": ("name", first),
        "name_last": ("name", last),
        "name_full": ("name", f"{first} {last}"),
        "date": ("date", draw.choice(dates)),
        "month_year": ("date", f"{month} {year}"),
        "record": ("record", str(draw.randint(10**6, 10**7 - 1))),
        # numbers set aside for fiction
        "phone": ("phone", f"020 7946 0{draw.randint(100, 999)}"),
    }
    return made[slot]


def placed_in(writer: Writer, placed: dict, text: str) -> tuple[str, str]:
    """Fill the last slots; return the text and where each stands in it."""
    marks = []
    while found := re.search(r"\{(\w+)\}", text):
        kind, said = invented(writer, placed, found[1])
        text = text[: found.start()] + said + text[found.end() :]
        marks.append(f"{kind}:{found.start()}:{found.start() + len(said)}")
    return text, " ".join(marks)


def write_notes(material: dict, part_of) -> list[dict]:
    writer = Writer(material, SEED)
    chapters = {
        (name, ""): told
        for name, told in material["chapter"].items()
        if "codes" not in told
    }
    codes = material["chapter"]["endocrine"]["codes"]
    chapters |= {("endocrine", code): told for code, told in codes.items()}
    rows = []
    for (chapter, code), told in chapters.items():
        for number in range(told["rows"] * 2):
            part = part_of(number)
            parts = note(writer, material, chapter, told, part == "train")
            text, marks = placed_in(writer, material["placed"], " ".join(parts))
            row = {"text": text, "label": chapter, "split": part}
            rows.append({**row, "code": code, "placed": marks, "of": told["rows"]})
    return rows


# ----------------------------------------------------------------- clauses
def clause(writer: Writer, material: dict, kind: str, labelled: bool) -> str:
    neutral, key = material["neutral"], material["kind"][kind]["key"]
    told = writer.random.choice((1, 1, 2))
    sentences = {writer.one_of(key, labelled) for _ in range(told)}
    parts = []
    for sentence in sorted(sentences):
        if writer.chance(0.5):
            lead = writer.one_of(neutral["lead"])
            first = sentence[0].lower() if sentence[1:2].islower() else sentence[0]
            sentence = f"{lead} {first}{sentence[1:]}"
        parts.append(sentence + ".")
    for _ in range(writer.random.choice((1, 2, 3, 9, 14))):
        parts.append(writer.one_of(neutral["body"]))
    others = [name for name in material["mention"] if name != kind]
    for other in writer.random.sample(others, writer.random.choice((0, 1, 2))):
        parts.append(writer.one_of(material["mention"][other]))
    parts = list(dict.fromkeys(parts))
    writer.random.shuffle(parts)
    return " ".join(parts)


def write_clauses(material: dict, part_of) -> list[dict]:
    writer = Writer(material, SEED)
    rows = []
    for kind, told in material["kind"].items():
        for number in range(told["rows"] * 2):
            part = part_of(number)
            text = clause(writer, material, kind, part == "train")
            row = {"text": text, "label": kind, "split": part}
            rows.append({**row, "of": told["rows"]})
    return rows


# ------------------------------------------------------------------ the files
def part_of(number: int) -> str:
    """Return the part of a class's text by its number, in the shares wanted."""
    order, rest = number * 0.618034 % 1, 0.0
    for part, share in SHARES.items():
        rest += share
        if order < rest:
            return part
    return "transfer"


def kept(rows: list[dict], by: list[str]) -> pd.DataFrame:
    """Keep one of those that are nearly the same, then as many as are wanted."""
    frame = pd.DataFrame(rows)
    groups = duplicate_groups(list(frame["text"]), progress=False)
    frame = frame[~pd.Series(groups).duplicated().to_numpy()]
    order = frame.groupby([*by, "split"], sort=False).cumcount()
    wanted = (frame["of"] * frame["split"].map(SHARES)).round()
    frame = frame[order < wanted].drop(columns="of")
    frame.loc[frame["split"] == "transfer", "label"] = ""
    if "code" in frame:
        frame.loc[frame["split"] == "transfer", "code"] = ""
    return frame.sample(frac=1, random_state=SEED)


def write(frame: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
    print(path.name, len(frame), frame.groupby("split").size().to_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "clinical_notes": (write_notes, "notes", ["label", "code"]),
        "contract_clauses": (write_clauses, "clauses", ["label"]),
    }
    for name, (made, source, by) in texts.items():
        material = tomllib.loads((MATERIAL / f"{source}.toml").read_text("utf-8"))
        write(kept(made(material, part_of), by), folder / f"{name}.csv")


if __name__ == "__main__":
    main()
