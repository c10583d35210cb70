"""Answers that were paid for, kept on disk the moment they arrive."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from ...arguments import check_number
from .replies import Reply

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, teacher TEXT NOT NULL, reply TEXT NOT NULL,
    dollars REAL NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asking (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, reserved REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO notes VALUES ('spent', 0.0), ('lost', 0), ('format', 1);
"""
_AT_ONCE = 500
"""Keys in one look-up; SQLite bounds them."""
BUSY = object()
"""Another process is asking this very request."""


class DamagedStoreError(ValueError):
    """A file of answers is torn, or no file of answers."""


class OverBudget(Exception):
    """A request might cost more than is left; says what is spent and reserved."""

    def __init__(self, spent: float, reserved: float) -> None:
        super().__init__(spent, reserved)
        self.spent, self.reserved = spent, reserved
        self.unsure = 0  # attempts before it that may have been paid


class AnswerStore:
    """Replies by request, in one SQLite file that several processes may share.

    Parameters
    ----------
    path : str or Path
        The file; made with its folder. It must lie on a disk of this machine.

    Attributes
    ----------
    damaged : list of str
        Keys of rows that were damaged; they are asked again.

    Raises
    ------
    DamagedStoreError
        If the file is none of answers.

    Notes
    -----
    Before a request is sent, its worst price is reserved; when its answer arrives
    the two are exchanged in one transaction. A process that is killed leaves
    reservations: whoever comes next counts them as spent, for the answer may have
    been paid, and asks again. No header and no key is ever written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damaged: list[str] = []
        self._lock = threading.RLock()
        self._owner = _this_process()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(
                self.path, timeout=60, isolation_level=None, check_same_thread=False
            )
            # A killed process loses nothing so; a power cut may lose the last rows.
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(_TABLES)
            columns = self._file.execute("SELECT * FROM answers LIMIT 0").description
        except sqlite3.DatabaseError as error:
            raise DamagedStoreError(
                f"{str(self.path)!r} is no file of answers or is damaged ({error}): take"
                " it away, or name another one"
            ) from None
        if [c[0] for c in columns] != [
            "key",
            "teacher",
            "reply",
            "dollars",
            "checksum",
        ]:
            raise DamagedStoreError(
                f"{str(self.path)!r} is another program's database: name another file"
            )
        self._settle_the_dead()

    def __repr__(self) -> str:
        return f"AnswerStore({str(self.path)!r})"

    def __len__(self) -> int:
        with self._lock:
            return self._file.execute("SELECT COUNT(*) FROM answers").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # ----------------------------------------------------------------- money
    @property
    def spent(self) -> float:
        """Dollars that all answers in it have cost, by any process."""
        return float(self._note("spent"))

    @property
    def lost(self) -> int:
        """Requests that a killed process left; counted as paid, asked again."""
        return int(self._note("lost"))

    @property
    def reserved(self) -> float:
        """Dollars that requests on their way may cost."""
        with self._lock:
            return float(self._reserved())

    def note(self, name: str) -> str | None:
        """Return what was written down under a name, or None."""
        found = self._note(f"said:{name}")
        return None if found is None else str(found)

    def write_note(self, name: str, value: str) -> None:
        """Write something down that all processes are to know."""
        with self._change():
            self._file.execute(
                "INSERT OR REPLACE INTO notes VALUES (?, ?)", (f"said:{name}", value)
            )

    def _note(self, name: str):
        with self._lock:
            row = self._file.execute("SELECT value FROM notes WHERE name=?", (name,))
            found = row.fetchone()
        return None if found is None else found[0]

    def _reserved(self) -> float:
        found = self._file.execute("SELECT TOTAL(reserved) FROM asking").fetchone()
        return found[0]

    # --------------------------------------------------------------- answers
    def find(self, keys: Sequence[str]) -> dict[str, Reply]:
        """Return the replies that are there, by key."""
        found: dict[str, Reply] = {}
        for start in range(0, len(keys), _AT_ONCE):
            part = list(keys[start : start + _AT_ONCE])
            marks = ",".join("?" * len(part))
            with self._lock:
                rows = self._file.execute(
                    f"SELECT key, reply, checksum FROM answers WHERE key IN ({marks})",
                    part,
                ).fetchall()
            for key, reply, checksum in rows:
                read = self._read(key, reply, checksum)
                if read is not None:
                    found[key] = read
        return found

    def _read(self, key: str, reply: str, checksum: str) -> Reply | None:
        try:
            if checksum != _checksum(key, reply):
                raise ValueError("its checksum does not fit")
            return Reply.from_json(reply)
        except (ValueError, TypeError, KeyError) as error:
            self.damaged.append(key)
            with self._change():
                self._file.execute("DELETE FROM answers WHERE key=?", (key,))
            print(
                f"answer store: the row {key} of {str(self.path)!r} is damaged ({error});"
                " its request will be sent again"
            )
            return None

    def some(self, teacher: str, most: int = 200) -> list[Reply]:
        """Return a few replies to one teacher's requests."""
        with self._lock:
            rows = self._file.execute(
                "SELECT key FROM answers WHERE teacher=? LIMIT ?", (teacher, most)
            ).fetchall()
        return list(self.find([key for (key,) in rows]).values())

    def claim(self, key: str, worst: float, most: float | None = None):
        """Reserve a request's worst price before it is sent.

        Parameters
        ----------
        key : str
        worst : float
            Dollars that it may cost.
        most : float, optional
            Dollars that all answers of this file may cost together.

        Returns
        -------
        Reply or object or None
            The reply where it is there already; `BUSY` while another process asks;
            None: it is reserved, and the caller is to send it.

        Raises
        ------
        OverBudget
            If it might cost more than is left.
        """
        check_number("worst", worst, least=0)
        known = self.find([key])
        if key in known:
            return known[key]
        with self._change():
            row = self._file.execute("SELECT 1 FROM answers WHERE key=?", (key,))
            arrived = row.fetchone()
            row = self._file.execute("SELECT owner FROM asking WHERE key=?", (key,))
            owner = row.fetchone()
            if arrived or (owner and owner[0] != self._owner and _lives(owner[0])):
                return BUSY
            if owner:
                self._count_as_paid(key)
            self._check_budget(worst, most)
            self._file.execute(
                "INSERT INTO asking VALUES (?, ?, ?)", (key, self._owner, worst)
            )
        return None

    def claim_more(self, key: str, worst: float, most: float | None = None) -> None:
        """Reserve the same again, for a request that must be sent again.

        Raises
        ------
        OverBudget
            If it might cost more than is left.
        """
        with self._change():
            self._check_budget(worst, most)
            self._file.execute(
                "UPDATE asking SET reserved=reserved+? WHERE key=?", (worst, key)
            )

    def keep(self, key: str, teacher: str, reply: Reply, dollars: float) -> None:
        """Write a reply down in place of its reservation."""
        text = reply.to_json()
        row = (key, teacher, text, dollars, _checksum(key, text))
        with self._change():
            self._file.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row
            )
            self._release(key, dollars)

    def give_up(self, key: str, dollars: float) -> None:
        """Take a reservation back; what may have been paid is counted as spent."""
        with self._change():
            self._release(key, dollars)

    def _release(self, key: str, dollars: float) -> None:
        self._file.execute("DELETE FROM asking WHERE key=?", (key,))
        if dollars:
            self._file.execute(
                "UPDATE notes SET value=value+? WHERE name='spent'", (dollars,)
            )

    def _check_budget(self, worst: float, most: float | None) -> None:
        if most is None:
            return
        spent, reserved = self.spent, self._reserved()
        if spent + reserved + worst > most:
            raise OverBudget(spent, reserved)

    def _settle_the_dead(self) -> None:
        with self._change():
            rows = self._file.execute("SELECT key, owner FROM asking").fetchall()
            for key, owner in rows:
                if owner != self._owner and not _lives(owner):
                    self._count_as_paid(key)

    def _count_as_paid(self, key: str) -> None:
        row = self._file.execute("SELECT reserved FROM asking WHERE key=?", (key,))
        self._release(key, row.fetchone()[0])
        self._file.execute("UPDATE notes SET value=value+1 WHERE name='lost'")

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")


def _checksum(key: str, reply: str) -> str:
    return hashlib.sha256(f"{key}\n{reply}".encode("utf-8", "replace")).hexdigest()[:16]


def _this_process() -> str:
    """Name this process, and one opened store of it."""
    begun = psutil.Process().create_time()
    return f"{os.getpid()}:{begun:.2f}:{os.urandom(4).hex()}"


def _lives(owner: str) -> bool:
    try:
        number, begun, _ = owner.split(":")
        process = psutil.Process(int(number))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return f"{process.create_time():.2f}" == begun
    except (psutil.Error, ValueError):
        return False
