"""Cut a small table of synonyms out of WordNet, for ``data/wordnet``.

``python docs/slice_wordnet.py FOLDER NEW_FOLDER``

FOLDER holds WordNet's files ``index.adj``, ``data.adj``, ``cntlist.rev`` and so on
(Debian: package ``wordnet-base``, in ``/usr/share/wordnet``). A word is kept if
WordNet's own counts say that it is common and nearly always means one thing; its
synonyms are the common words of that sense. Phrases, names and words without a
meaning of their own are left out, and so are slang, oaths and slurs. WordNet's licence, which its files begin with, is
written beside the table. Then call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from distill_helpers.files import whole_folder

KINDS = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
LEAST_COUNT, LEAST_SHARE = 5, 0.5
"""How often WordNet counted a word, and which share of that its first meaning has."""
SHORTEST = 3
LEFT_OUT = {"bastard", "queer", "savage"}
"""Words that are put into nobody's text, whatever sense is meant."""


def is_word(lemma: str) -> bool:
    plain = lemma.isascii() and lemma.isalpha() and lemma.islower()
    apart = lemma in ENGLISH_STOP_WORDS or lemma in LEFT_OUT
    return plain and len(lemma) >= SHORTEST and not apart


def counts(folder: Path) -> dict[str, dict[tuple[str, int], int]]:
    """Return how often each sense of a word was counted, by kind and number."""
    found: dict[str, dict] = defaultdict(dict)
    for line in (folder / "cntlist.rev").read_text("ascii").splitlines():
        key, sense, count = line.split()
        lemma, _, rest = key.partition("%")
        found[lemma][KINDS[rest[0]], int(sense)] = int(count)
    return found


def first_synsets(folder: Path, kind: str) -> dict[str, int]:
    """Return where the first sense of each word stands in the file of a kind."""
    found = {}
    for line in (folder / f"index.{kind}").read_text("ascii").splitlines():
        if not line.startswith(" "):
            cells = line.split()
            found[cells[0]] = int(cells[-int(cells[2])])
    return found


def members(data: bytes, offset: int) -> list[str]:
    """Return the words of the synset that begins at a byte.

    None of one with a mark of usage: such words are slang, oaths or slurs.
    """
    cells = data[offset : data.index(b"\n", offset)].decode("ascii").split()
    if ";u" in cells:
        return []
    count = int(cells[3], 16)
    return [cells[4 + 2 * i].partition("(")[0] for i in range(count)]


def synonyms(folder: Path) -> dict[str, list[str]]:
    counted = counts(folder)
    where = {kind: first_synsets(folder, kind) for kind in set(KINDS.values())}
    data = {kind: (folder / f"data.{kind}").read_bytes() for kind in where}
    found = {}
    for word, senses in sorted(counted.items()):
        (kind, number), most = max(senses.items(), key=lambda item: item[1])
        total = sum(senses.values())
        if not is_word(word) or total < LEAST_COUNT or most < LEAST_SHARE * total:
            continue
        if number != 1 or word not in where[kind]:
            continue
        others = members(data[kind], where[kind][word])
        kept = [w for w in others if w != word and is_word(w) and w in counted]
        if kept:
            found[word] = kept
    return found


def licence(folder: Path) -> str:
    """Return the numbered lines with which WordNet's files begin."""
    lines = (folder / "index.adv").read_text("ascii").splitlines()
    head = [line[4:].rstrip() for line in lines if line.startswith("  ")]
    return "\n".join(head).strip() + "\n"


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("wordnet", type=Path, help="the folder of WordNet's files")
    reader.add_argument("folder", type=Path, help="a new folder")
    options = reader.parse_args()
    table = synonyms(options.wordnet)
    with whole_folder(options.folder) as part:
        text = json.dumps(table, indent=0, sort_keys=True) + "\n"
        (part / "synonyms.json").write_bytes(text.encode())
        (part / "LICENSE").write_bytes(licence(options.wordnet).encode())
    print(f"{len(table):,} words")


if __name__ == "__main__":
    main()
