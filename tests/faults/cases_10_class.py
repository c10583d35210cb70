"""One bad file in a class, and files that come from others (kinds 10 and 11)."""

import json
import os
import shutil

from judging import Case, gives, refused

DEEP = "[" * 100_000


def result(**row):
    entry = {"name": "student", "seeds": [0], "accuracy": {"per_seed": [0.8]}} | row
    head = {"format": 1, "kit": "1", "data": "a", "lesson": "03"}
    return head | {"settings": {"temperature": 1.0}, "rows": [entry]}


def spelt(content, old="", new=""):
    return json.dumps(content).replace(old, new)


def beside(content=None, name="bad.json", make=None):
    """Collect a sound result and a bad one: (rows, names of the problems)."""

    def act(place):
        from distill_helpers.classroom.collecting import collect

        place.write("class/ada.json", spelt(result()))
        place.write("class/bob.json", spelt(result(), "1.0", "2.0"))
        if make is not None:
            make(place.folder / "class")
        else:
            place.write(f"class/{name}", content)
        found = collect(place.folder / "class")
        lines = "\n".join(map(str, found.problems))
        assert lines.replace("\n", "").isprintable()
        return len(found.table), sorted(p.file for p in found.problems)

    return act


def named(name, content):
    return Case(10, name, beside(content), gives((2, ["bad.json"])))


def progress(content=None, name="bad.json", make=None):
    def act(place):
        from distill_helpers.classroom.progress import collect_progress
        from distill_helpers.lessons.exercises.notebook_api import all_entries

        key = all_entries()[0].key
        facts = {
            "status": "correct",
            "attempts": 1,
            "when": "2026-01-01T10:00:00+00:00",
        }
        place.write("class/ada.json", spelt({"version": 1, "exercises": {key: facts}}))
        if make is not None:
            make(place.folder / "class")
        elif isinstance(content, dict):
            place.write(
                f"class/{name}",
                spelt({"version": 1, "exercises": {key: facts | content}}),
            )
        else:
            place.write(f"class/{name}", content)
        found = collect_progress(place.folder / "class")
        assert str(found).replace("\n", "").isprintable()
        return "ada" in found.table.index, found.problems["file"].tolist()

    return act  # fmt: skip


def learner(name, content):
    return Case(10, f"learner-{name}", progress(content), gives((True, ["bad.json"])))


def pipe(folder):
    os.mkfifo(folder / "bad.json")


def device(folder):
    (folder / "bad.json").symlink_to("/dev/zero")


def itself(folder):
    (folder / "bad.json").symlink_to("bad.json")


def loop(folder):
    (folder / "bad.json").symlink_to(folder, target_is_directory=True)


def hundred_deep(folder):
    deep = folder.joinpath(*["d"] * 100)
    deep.mkdir(parents=True)
    (deep / "bad.json").write_text(spelt(result()))


def csv_of(*cells):
    def act(place):
        import pandas as pd

        from distill_helpers.classroom.handed_in import write_table

        path = write_table(pd.DataFrame({"a": list(cells)}), place.out("t.csv"))
        return path.read_text("utf-8")

    return act


def guarded(name, cell):
    return Case(10, f"cell-{name}", csv_of(cell), gives(lambda text: f"'{cell.strip()[:4]}" in text.replace("' ", "'").replace("'\t", "'")))  # fmt: skip


# ----------------------------------------------------------------- from elsewhere
def bundled(change=None, **entries):
    """A copy of a sound bundle, with one thing changed."""

    def act(place):
        from distill_helpers.export.bundle import TextClassifier

        folder = place.out("bundle")
        shutil.copytree(place.shop.bundle, folder)
        path = folder / "bundle.json"
        about = json.loads(path.read_text("utf-8"))
        if entries:
            path.write_text(json.dumps(about | entries), "utf-8")
        if change is not None:
            change(folder, about)
        for file in folder.rglob("*"):
            place.guard(file)
        return TextClassifier(folder).classify(["a fine film"])

    return act


def odd(name, **entries):
    return Case(11, f"bundle-{name}", bundled(**entries), refused("bundle.json", *list(entries)[:1]))  # fmt: skip


def raw(content):
    def change(folder, about):
        data = content if isinstance(content, bytes) else content.encode()
        (folder / "bundle.json").write_bytes(data)

    return change


def replaced(name, content, listed=False):
    def change(folder, about):
        from distill_helpers.export.bundle import listed as said

        (folder / name).write_bytes(content)
        if listed:
            about["files"][name] = said(folder / name)
            (folder / "bundle.json").write_text(json.dumps(about), "utf-8")

    return change


def gone(name):
    return lambda folder, about: (folder / name).unlink()


def swapped(folder, about):
    labels = about["labels"][::-1]
    (folder / "bundle.json").write_text(json.dumps(about | {"labels": labels}), "utf-8")


def manifest(**change):
    def act(place):
        from distill_helpers.classroom.bundle.installing import check

        target = {"platform": "linux", "python": "3.11", "least": "3.11.2"}
        target |= {"wheels": ["a-1.0-py3-none-any.whl"]}
        files = {"project/a.txt": {"bytes": 1, "sha256": "0" * 64}}
        head = {"format": "distill-classroom-1", "kit": "0.1.0", "files": files}
        content = head | {"targets": [target]} | change
        place.write("kit/manifest.json", json.dumps(content))
        return check(place.folder / "kit")

    return act


def elsewhere(name, path, **facts):
    entry = {"bytes": 1, "sha256": "0" * 64} | facts
    return Case(11, f"manifest-{name}", lambda p: wrapped(manifest(files={path: entry}), p), refused("damaged"))  # fmt: skip


def wrapped(act, place):
    """BundleError is an Exception of its own kind, meant for people."""
    from distill_helpers.classroom.bundle.installing import BundleError
    from distill_helpers.foreign import ForeignFileError

    try:
        return act(place)
    except BundleError as error:
        told = str(error)
    return _raise(ForeignFileError, told)


def _raise(kind, told):
    from distill_helpers.arguments import check_choice

    return check_choice(f"{kind.__name__}: {told}", "refused", ())


def soft_targets(content):
    def act(place):
        from distill_helpers.teachers.stored import read_soft_targets

        return read_soft_targets(place.write("soft.parquet", content))

    return act


def packed(content):
    def act(place):
        from distill_helpers.students.pocket import PocketStudent

        return PocketStudent.load(place.write("s.safetensors", content))

    return act


def safetensors(about, **tensors):
    def act(place):
        import numpy as np
        from safetensors.numpy import save_file

        from distill_helpers.students.pocket import PocketStudent

        path = place.folder / "s.safetensors"
        save_file({"x": np.zeros(1)} | tensors, path, about)
        return PocketStudent.load(place.guard(path))

    return act


CASES = [
    named("nested", DEEP),
    named("nested-objects", '{"a":' * 100_000),
    named("empty", ""),
    named("only-a-bom", b"\xef\xbb\xbf"),
    named("zeros", b"\0" * 999),
    named("utf-16", spelt(result()).encode("utf-16")),
    named("null", "null"),
    named("a-number", "3"),
    named("a-text", '"results"'),
    named("two-values", spelt(result()) * 2),
    named("rows-null", spelt(result() | {"rows": None})),
    named("rows-missing", spelt({k: v for k, v in result().items() if k != "rows"})),
    named("row-null", spelt(result() | {"rows": [None]})),
    named("settings-missing", spelt({k: v for k, v in result().items() if k != "settings"})),
    named("name-missing", spelt(result(), '"name": "student", ')),
    named("name-empty", spelt(result(name=""))),
    named("name-of-100000-letters", spelt(result(name="x" * 100_000))),
    named("name-a-formula-in-full-width", spelt(result(name="\uff1dcmd()"))),
    named("name-with-a-bell", spelt(result(name="a\x07b"))),
    named("name-right-to-left", spelt(result(name="a\u202eb"))),
    named("name-a-list", spelt(result(name=["student"]))),
    named("seed-fraction", spelt(result(seeds=[0.5]))),
    named("seed-minus", spelt(result(seeds=[-1]))),
    named("seed-huge", spelt(result(), "[0]", f"[{'9' * 400}]")),
    named("score-dict", spelt(result(accuracy={"per_seed": {"0": 0.8}}))),
    named("score-list", spelt(result(accuracy=[0.8]))),
    named("score-null", spelt(result(accuracy=None))),
    named("score-1.0001", spelt(result(accuracy={"per_seed": [1.0001]}))),
    named("score-minus-0.0001", spelt(result(accuracy={"per_seed": [-0.0001]}))),
    named("score-in-words", spelt(result(accuracy={"per_seed": ["eighty"]}))),
    named("format-99", spelt(result() | {"format": 99})),
    named("lesson-null", spelt(result() | {"lesson": None})),
    named("many-rows", spelt(result() | {"rows": result()["rows"] * 200_000})),
    named("hundred-megabytes", b'{"x": "' + b"y" * 60_000_000 + b'"}'),
    Case(10, "a-pipe", beside(make=pipe), gives((2, ["bad.json"]))),
    Case(10, "a-device", beside(make=device), gives((2, ["bad.json"]))),
    Case(10, "a-link-to-itself", beside(make=itself), gives((2, ["bad.json"]))),
    Case(10, "a-loop-of-folders", beside(make=loop), gives((2, ["bad.json"]))),
    Case(10, "a-hundred-folders-deep", beside(make=hundred_deep), gives(lambda f: f[0] == 2 and len(f[1]) == 1)),
    Case(10, "a-folder-called-json", beside(make=lambda f: (f / "bad.json").mkdir()), gives(lambda f: f[0] == 2)),
    Case(10, "of-the-system", beside("x", name="Thumbs.db"), gives((2, []))),
    Case(10, "no-folder", lambda p: collect_of(p.out("none")), refused("none")),
    Case(10, "a-file-for-a-folder", lambda p: collect_of(p.write("a.json", "{}")), refused("a.json")),
    Case(10, "an-empty-folder", lambda p: collect_of((p.out().mkdir(), p.out())[1]), refused("result")),
    learner("nested", DEEP),
    learner("null", "null"),
    learner("list", "[]"),
    learner("exercises-a-list", '{"version": 1, "exercises": []}'),
    learner("version-99", '{"version": 99, "exercises": {}}'),
    learner("attempts-minus", {"attempts": -1}),
    learner("attempts-nan", '{"version": 1, "exercises": {"02.kd": {"status": "correct", "attempts": NaN}}}'),
    learner("attempts-a-word", {"attempts": "many"}),
    learner("status-of-no-kind", {"status": "perfect"}),
    learner("when-next-century", {"when": "99999-01-01"}),
    learner("when-a-number", {"when": 5}),
    Case(10, "learner-a-pipe", progress(make=pipe), gives((True, ["bad.json"]))),
    Case(10, "learner-a-device", progress(make=device), gives((True, ["bad.json"]))),
    guarded("equals", "=1+1"),
    guarded("plus", "+1+1"),
    guarded("minus", "-1+1"),
    guarded("at", "@SUM(A1)"),
    guarded("tab", "\t=1+1"),
    guarded("full-width", "\uff1d1+1"),
    # ------------------------------------------------------------------ kind 11
    Case(11, "bundle-sound", bundled(), gives(lambda found: found[0].label in ("negative", "positive"))),
    odd("temperature-zero", temperature=0),
    odd("temperature-minus", temperature=-2.0),
    odd("temperature-a-word", temperature="1"),
    odd("temperature-null", temperature=None),
    odd("labels-none", labels=[]),
    odd("labels-twins", labels=["a", "a"]),
    odd("labels-numbers", labels=[0, 1]),
    Case(11, "bundle-labels-with-terminal-signs", bundled(labels=["\x1b[2J", "a\x1b[2J"]), gives(lambda found: repr(found).isprintable())),
    odd("labels-an-object", labels={"0": "a"}),
    odd("max-length-zero", max_length=0),
    odd("max-length-minus", max_length=-5),
    odd("max-length-a-word", max_length="all"),
    odd("pad-minus", pad_id=-1),
    odd("before-a-word", before="CLS"),
    odd("keep-of-no-kind", keep="middle"),
    odd("files-none", files={}),
    odd("files-a-list", files=["model.onnx"]),
    odd("files-elsewhere", files={"../model.onnx": {"bytes": 1, "sha256": "0" * 64}}),
    odd("format-99", format="distill-bundle-99"),
    odd("problem-of-no-kind", problem_type="regression"),
    Case(11, "bundle-labels-three", bundled(labels=["a", "b", "c"]), refused("label", "3")),
    Case(11, "bundle-pad-beyond-the-vocabulary", bundled(pad_id=10**6), refused("token", "1000000")),
    Case(11, "bundle-temperature-nan", bundled(lambda f, a: (f / "bundle.json").write_text(json.dumps(a | {"temperature": float("nan")}))), refused("bundle.json", "NaN|number")),
    Case(11, "bundle-list-torn", bundled(raw("{")), refused("bundle.json", "damaged")),
    Case(11, "bundle-list-null", bundled(raw("null")), refused("bundle.json", "damaged")),
    Case(11, "bundle-list-too-deep", bundled(raw(DEEP)), refused("bundle.json", "deep")),
    Case(11, "bundle-list-of-zeros", bundled(raw(b"\0" * 99)), refused("bundle.json", "damaged")),
    Case(11, "bundle-list-gone", bundled(gone("bundle.json")), refused("bundle.json", "no bundle")),
    Case(11, "bundle-model-gone", bundled(gone("model.onnx")), refused("model.onnx", "lacks")),
    Case(11, "bundle-model-of-another", bundled(replaced("model.onnx", b"other")), refused("model.onnx", "checksum")),
    Case(11, "bundle-model-that-is-none", bundled(replaced("model.onnx", b"other", True)), refused("cannot be used")),
    Case(11, "bundle-model-empty", bundled(replaced("model.onnx", b"", True)), refused("cannot be used")),
    Case(11, "bundle-tokeniser-that-is-none", bundled(replaced("tokenizer.json", b"{}", True)), refused("cannot be used")),
    Case(11, "bundle-tokeniser-torn", bundled(replaced("tokenizer.json", b'{"model"', True)), refused("cannot be used")),
    Case(11, "bundle-labels-swapped", bundled(swapped), refused("label_names", "order")),
    elsewhere("two-slashes", "project//etc/passwd"),
    elsewhere("absolute", "/etc/passwd"),
    elsewhere("above", "project/../../x"),
    elsewhere("backslash-above", "..\\x"),
    elsewhere("backslash-inside", "project\\a"),
    elsewhere("drive", "C:\\x"),
    elsewhere("drive-relative", "C:x"),
    elsewhere("stream", "project/a:b"),
    elsewhere("device", "project/AUX.txt"),
    elsewhere("trailing-dot", "project/a."),
    elsewhere("new-line", "project/a\nb"),
    elsewhere("zero", "project/a\0b"),
    elsewhere("empty", ""),
    elsewhere("size-minus", "project/a", bytes=-1),
    elsewhere("size-a-word", "project/a", bytes="1"),
    elsewhere("checksum-short", "project/a", sha256="0"),
    Case(11, "soft-targets-text", soft_targets("hello"), refused("soft.parquet", "damaged")),
    Case(11, "soft-targets-empty", soft_targets(b""), refused("soft.parquet", "damaged")),
    Case(11, "packed-text", packed("hello"), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-empty", packed(b""), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-header-of-an-exabyte", packed(b"\xff" * 8 + b"{}"), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-without-notes", safetensors(None), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-notes-torn", safetensors({"about": "{"}), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-notes-too-deep", safetensors({"about": DEEP}), refused("s.safetensors", "damaged|packed")),
    Case(11, "packed-notes-a-list", safetensors({"about": "[]"}), refused("s.safetensors", "damaged|packed")),
]  # fmt: skip


def collect_of(folder):
    from distill_helpers.classroom.collecting import collect

    return collect(folder)
