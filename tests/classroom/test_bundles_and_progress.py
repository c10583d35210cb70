"""The classroom kit: a bundle for laptops without a network, a class's progress."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hub_server import HubServer

import distill_helpers.__main__ as command_line
from distill_helpers.classroom.bundle import installing, packing, project, wheels
from distill_helpers.classroom.bundle.installing import (
    BundleError,
    Target,
    check,
    install,
    last_words,
    this_target,
)
from distill_helpers.classroom.progress import collect_progress
from distill_helpers.classroom.progress import main as show_progress
from distill_helpers.lessons.exercises.notebook_api import all_entries

ROOT = Path(__file__).resolve().parents[2]
KIT = [sys.executable, "-m", "distill_helpers"]
NOWHERE = "http://127.0.0.1:9/simple"


HERE = this_target()
OTHER = Target("windows" if HERE.platform != "windows" else "linux", "3.12")


# ------------------------------------------------------- a tiny kit and its wheels
BACKEND = '''
"""Build the project without any package: PEP 517 and 660 by hand."""
import zipfile, pathlib
NAME = "distill_helpers-7.8.9"

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(folder, config_settings=None, metadata_directory=None):
    here = str(pathlib.Path(__file__).resolve().parent)
    name = NAME + "-py3-none-any.whl"
    about = ["Metadata-Version: 2.1", "Name: distill-helpers", "Version: 7.8.9",
             "Requires-Dist: tinydep", "Provides-Extra: test",
             "Requires-Dist: tinytest; extra == 'test'", ""]
    kind = ["Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any", ""]
    info = NAME + ".dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("distill_helpers_here.pth", here)
        wheel.writestr(info + "METADATA", "\\n".join(about))
        wheel.writestr(info + "WHEEL", "\\n".join(kind))
        wheel.writestr(info + "RECORD", "")
    return name
'''
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "distill-helpers"
dependencies = [
    "tinydep",
    "torch>=2.8,<2.14",
]
"""


def make_wheel(folder, name, version="1.0", tag="py3-none-any", body=""):
    """Write a wheel of one module by hand."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n{body}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        f"Version: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    lines = []
    for path, text in files.items():
        found = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        lines.append(f"{path},sha256={found.rstrip(b'=').decode()},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def tiny_wheels(target, project, folder):
    """Stand in for the network: what the tiny kit needs on any laptop."""
    assert (project / "pyproject.toml").is_file()
    for name in ("setuptools", "wheel", "tinytest"):
        make_wheel(folder, name)
    # Another laptop's release is newer, and must not be taken here.
    make_wheel(folder, "tinydep", "1.0" if target == HERE else "2.0")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A kit of a few files, with what must stay at home."""
    root = tmp_path_factory.mktemp("kit")
    contents = {
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND,
        "constraints.txt": "tinydep==1.0\n",
        "distill_helpers/__init__.py": '__version__ = "7.8.9"\n',
        "distill_helpers/__main__.py": "import sys, tinydep, tinytest\n"
        "assert sys.argv[1:] == ['lessons']\n"
        "print('lessons ran with', tinydep.version)\n",
        "notebooks/01.ipynb": "{}",
        "runs/progress.json": "mine",
        ".venv/big": "",
        "browser/node_modules/a.js": "",
        "distill_helpers/__pycache__/x.pyc": "",
        "tiny.egg-info/PKG-INFO": "",
        ".pytest_cache/x": "",
        "imdb/plain_text/train-0.parquet": "of an installation",
    }
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(ROOT / "start.py", root)
    return root


TRACKED = {"pyproject.toml", "backend.py", "constraints.txt", "start.py"}
TRACKED |= {"distill_helpers/__init__.py", "distill_helpers/__main__.py"}
TRACKED |= {"notebooks/01.ipynb"}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "plain_text").mkdir()
    (folder / "private.txt").write_text("not part of the data")
    for split in packing.SPLITS:
        (folder / "plain_text" / f"{split}-00000-of-00001.parquet").write_text(split)
    return folder


@pytest.fixture
def pack(kit, tmp_path):
    def make(name="bundle", targets=(HERE,), get=tiny_wheels, **options):
        folder = tmp_path / "made" / name
        packing.pack(folder, targets, get=get, root=kit, **options)
        return folder

    return make


@pytest.fixture
def bundle(pack):
    return pack()


def whole_listing(folder):
    """Everything that writing into a folder would change."""
    facts = {}
    for path in [folder, *folder.rglob("*")]:
        seen = path.stat()
        facts[path] = (seen.st_size, seen.st_mtime_ns, seen.st_mode)
    return facts


# ------------------------------------------------------------------------- pack
def test_a_bundle_holds_the_project_the_wheels_and_a_list_of_all(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["kit"] == "7.8.9"
    assert manifest["pythons"] == [HERE.python]
    assert manifest["platforms"] == [HERE.platform]
    present = set(project.files_below(bundle))
    assert set(manifest["files"]) == present - {"manifest.json"}
    assert "wheels/tinydep-1.0-py3-none-any.whl" in present
    for name, listed in manifest["files"].items():
        content = (bundle / name).read_bytes()
        assert listed["bytes"] == len(content)
        assert listed["sha256"] == hashlib.sha256(content).hexdigest()


def test_without_git_the_project_is_the_tree_less_what_was_made_there(bundle):
    packed = project.files_below(bundle / "project")
    assert set(packed) == TRACKED


def test_a_bundle_made_inside_the_project_does_not_pack_itself(kit, pack):
    first = pack()
    try:
        shutil.copytree(first, kit / "old_bundle")
        assert set(project.project_files(kit)) == TRACKED
    finally:
        shutil.rmtree(kit / "old_bundle", ignore_errors=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_with_git_the_project_is_what_is_tracked(kit, tmp_path):
    root = tmp_path / "checkout"
    shutil.copytree(kit, root)
    (root / "draft.txt").write_text("not tracked")
    (root / "gone.txt").write_text("tracked, then deleted")
    wanted = ["pyproject.toml", "start.py", "notebooks", "gone.txt"]
    for command in (["init", "--quiet"], ["add", *wanted]):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "gone.txt").unlink()
    assert project.project_files(root) == [
        "notebooks/01.ipynb",
        "pyproject.toml",
        "start.py",
    ]


def test_what_is_no_kit_is_refused(tmp_path):
    with pytest.raises(BundleError, match="no pyproject.toml"):
        packing.pack(tmp_path / "b", [HERE], get=tiny_wheels, root=tmp_path)


def test_the_first_words_name_python_and_the_commands_for_each_system(bundle):
    text = (bundle / "READ_ME_FIRST.txt").read_text()
    assert f"Python\n{HERE.python} on {HERE.platform}" in text
    assert "py install.py --to ~\\distillation" in text
    assert "python3 install.py --to ~/distillation" in text
    installer = Path(installing.__file__).read_text("utf-8")
    assert (bundle / "install.py").read_text("utf-8") == installer


def test_an_existing_folder_is_refused_and_left_alone(bundle, pack):
    before = whole_listing(bundle)
    with pytest.raises(FileExistsError, match="bundle' exists already.*FOLDER"):
        pack()
    assert whole_listing(bundle) == before


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, BundleError("no wheel"), OSError("disk full")]
)
def test_a_bundle_appears_whole_or_not_at_all(pack, tmp_path, error):
    def stopped(target, project, folder):
        tiny_wheels(target, project, folder)
        raise error

    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind):
        pack(get=stopped)
    assert list((tmp_path / "made").iterdir()) == []


def test_two_kinds_of_laptops_share_wheels(pack):
    folder = pack(targets=[HERE, OTHER])
    manifest = check(folder)
    here, other = manifest["targets"]
    assert "wheel-1.0-py3-none-any.whl" in set(here["wheels"]) & set(other["wheels"])
    assert "tinydep-2.0-py3-none-any.whl" in set(other["wheels"]) - set(here["wheels"])
    assert manifest["platforms"] == sorted({HERE.platform, OTHER.platform})


def test_what_is_no_wheel_is_refused(pack, tmp_path):
    def source_only(target, project, folder):
        (folder / "tinydep-1.0.tar.gz").write_text("")

    with pytest.raises(BundleError, match="tinydep-1.0.tar.gz"):
        pack(get=source_only)
    with pytest.raises(BundleError, match="no wheels for"):
        pack(get=lambda *_: None)


def test_cuda_libraries_are_pointed_out_or_refused(pack, capsys):
    def with_cuda(target, project, folder):
        tiny_wheels(target, project, folder)
        make_wheel(folder, "nvidia_cublas")

    pack("large", get=with_cuda)
    assert "--torch-index leaves them out" in capsys.readouterr().out
    with pytest.raises(BundleError, match="--torch-index: .*nvidia_cublas"):
        pack("small", get=with_cuda, torch_index="https://torch.test/cpu")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--platform", "beos"], "--platform: invalid choice: 'beos'.*windows"),
        (["--python", "3.9"], "--python: invalid choice: '3.9'.*3.10.*3.13"),
    ],
)
def test_a_wrong_choice_is_named_with_what_is_allowed(arguments, told, tmp_path):
    done = subprocess.run(
        [*KIT, "pack", tmp_path / "b", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert re.search(told, done.stderr), done.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target("beos", "3.11"), "--platform must be one of .*linux.*got 'beos'"),
        (Target("linux", "3.9"), "--python must be one of .*3.10.*got '3.9'"),
    ],
)
def test_an_unknown_kind_of_laptop_is_refused(pack, target, told):
    with pytest.raises(ValueError, match=told):
        pack(targets=[target])


def test_packing_needs_the_standard_library_alone(kit, tmp_path):
    """Without site-packages the command comes as far as the network."""
    done = subprocess.run(
        [sys.executable, "-S", *KIT[1:], "pack", tmp_path / "b", "--imdb", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "must be a folder in the layout of the Hub's data set" in done.stderr
    code = "import sys, distill_helpers.classroom.bundle.packing\n"
    code += "print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert {n for n in foreign if not n.startswith(("_", "site"))} == {
        "distill_helpers"
    }


# ------------------------------------------------------------- choosing wheels
class Programs:
    """Stand in for the programs that ask the network, and note their calls."""

    def __init__(self, fails=None):
        self.calls, self.fails = [], fails

    def __call__(self, *command, **_):
        words = [str(word) for word in command]
        self.calls.append(words)
        if self.fails and self.fails in words:
            return False
        if "--dest" in words and "--index-url" in words:
            make_wheel(Path(words[words.index("--dest") + 1]), "torch", "2.9.0+cpu")
        if "--wheel-dir" in words:
            folder = Path(words[words.index("--wheel-dir") + 1])
            make_wheel(folder, "tinydep")
            make_wheel(folder, "distill_helpers", "7.8.9")
        return True

    def one_with(self, word):
        (found,) = [call for call in self.calls if word in call]
        return found


@pytest.fixture
def fetch(kit, tmp_path, monkeypatch):
    def get(target, fails=None, **options):
        programs = Programs(fails)
        monkeypatch.setattr(wheels, "run", programs)
        folder = tmp_path / "got"
        folder.mkdir()
        work = tmp_path / "work"
        wheels.get_wheels(target, kit, folder, work=work, **options)
        return programs, {path.name for path in folder.iterdir()}

    return get


def test_for_this_machine_pip_chooses_and_builds(fetch):
    programs, wheels = fetch(HERE)
    command = programs.one_with("wheel")
    assert command[-1].endswith("source[test]")
    assert ("--constraint" in command) == (HERE.python == "3.11")
    assert not any("--platform" in word for word in command)
    assert wheels == {"tinydep-1.0-py3-none-any.whl"}  # the project is not a wheel


def test_for_another_machine_uv_chooses_and_pip_downloads(fetch):
    programs, _ = fetch(Target("windows", "3.12"))
    choosing = programs.one_with("compile")
    assert "--python-platform=windows" in choosing
    assert "--only-binary=:all:" in choosing
    assert "--constraint" not in choosing  # it was made for Python 3.11
    loading = programs.one_with("download")
    chosen = choosing[choosing.index("--output-file") + 1]
    assert loading[loading.index("--requirement") + 1] == chosen
    assert {"--platform=win_amd64", "--only-binary=:all:"} <= set(loading)


def test_the_constraints_hold_for_the_python_they_were_made_for(fetch):
    other = "macos" if HERE.platform != "macos" else "windows"
    programs, _ = fetch(Target(other, "3.11"))
    command = programs.one_with("compile")
    constraints = Path(command[command.index("--constraint") + 1])
    assert constraints.name == "constraints.txt"


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_only_pytorch_is_asked_of_pytorchs_index(fetch, tmp_path, python):
    programs, _ = fetch(Target("linux", python), torch_index="https://torch.test/cpu")
    asking = programs.one_with("--index-url")
    assert asking[-1] == "torch>=2.8,<2.14"
    assert asking[asking.index("--index-url") + 1] == "https://torch.test/cpu"
    assert "--no-deps" in asking
    pin = tmp_path / "work" / "torch.txt"
    assert pin.read_text() == "torch==2.9.0+cpu\n"
    (choosing,) = [c for c in programs.calls if str(pin) in c]
    assert "--find-links" in choosing


def test_other_systems_have_one_build_of_pytorch(fetch):
    programs, _ = fetch(Target("macos", "3.12"), torch_index="https://torch.test/cpu")
    assert not [call for call in programs.calls if "--index-url" in call]


def test_a_program_that_fails_ends_the_packing(fetch):
    with pytest.raises(BundleError, match="could not find wheels for windows with"):
        fetch(Target("windows", "3.12"), fails="compile")


# --------------------------------------------------------------- data and models
def test_the_copy_of_imdb_is_packed_and_nothing_beside_it(pack, mirror):
    folder = pack(imdb=mirror)
    packed = project.files_below(folder / "imdb")
    assert packed == [
        f"plain_text/{split}-00000-of-00001.parquet" for split in sorted(packing.SPLITS)
    ]


def test_an_incomplete_copy_of_imdb_is_refused(pack, mirror, tmp_path):
    partly = tmp_path / "partly"
    shutil.copytree(mirror, partly)
    next(partly.glob("plain_text/test-*")).unlink()
    with pytest.raises(BundleError, match=r"--imdb .*partly.* plain_text/test-\*"):
        pack(imdb=partly)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "teacher"
    (folder / ".cache").mkdir(parents=True)
    names = ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt"]
    unsafe = ["pytorch_model.bin", "modeling.py", "training_args.bin", ".cache/x.json"]
    for name in names + unsafe:
        (folder / name).write_text("{}")
    return folder


def test_a_models_safe_files_are_packed_and_the_others_named(pack, model, capsys):
    folder = pack(models=[str(model)])
    packed = project.files_below(folder / "models" / "teacher")
    assert packed == ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]
    told = capsys.readouterr().out
    assert "modeling.py, pytorch_model.bin, training_args.bin" in told


def test_a_model_that_cannot_be_packed_is_refused(pack, model, tmp_path):
    with pytest.raises(BundleError, match="two models are called 'teacher'"):
        pack(models=[str(model), str(model)])
    (model / "model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"holds no \*.safetensors"):
        pack(models=[str(model)])
    with pytest.raises(BundleError, match="--model 'nothing' must be a folder"):
        pack(models=["nothing"])


class ModelServer(HubServer):
    """The loopback Hub, with its one repository served as a model."""

    def _handler(hub):
        class Handler(super()._handler()):
            def answer(self, body=True):
                path = self.path.replace("/api/models/", "/api/datasets/")
                if path.startswith(f"/{hub.repo}/resolve/"):
                    path = f"/datasets{path}"
                self.path = path
                return super().answer(body)

        return Handler


FROM_HUB = "from distill_helpers.classroom.bundle.packing import hub_model\n"
FROM_HUB += "import sys; print(hub_model(sys.argv[1]))"


def ask_hub(url, name, home):
    environment = os.environ | {
        "HF_HOME": str(home),
        "HF_ENDPOINT": url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-c", FROM_HUB, name],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        cwd=home,
    )


def test_a_model_of_the_hub_comes_without_unsafe_files(model, tmp_path, pack):
    shutil.rmtree(model / ".cache")
    with ModelServer("owner/teacher", model) as hub:
        done = ask_hub(hub.url, "owner/teacher", tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        asked = {path for _, path, _ in hub.requests}
        refused = ask_hub(hub.url, "owner/other", tmp_path)
    assert not [path for path in asked if path.endswith((".bin", ".py"))]
    came = Path(done.stdout.strip().splitlines()[-1])
    folder = pack(models=["owner/teacher"], from_hub=lambda name: came)
    packed = project.files_below(folder / "models" / "owner--teacher")
    assert packed == ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]
    assert "--model 'owner/other' is no folder here, and the Hub" in refused.stderr


# ------------------------------------------------------------------------ check
def damage_it(bundle):
    wheel = next(bundle.glob("wheels/tinydep-1.0*"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    (bundle / "project" / "start.py").unlink()
    with (bundle / "project" / "notebooks" / "01.ipynb").open("a") as file:
        file.write("more")


@pytest.mark.parametrize("act", ["check", "install"])
def test_each_damaged_or_missing_file_is_named_before_anything_is_written(
    bundle, tmp_path, act
):
    damage_it(bundle)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BundleError) as error:
        if act == "check":
            check(bundle)
        else:
            install(bundle, tmp_path / "to")
    told = str(error.value)
    assert "missing: project/start.py" in told
    assert "damaged: project/notebooks/01.ipynb (6 bytes, not 2)" in told
    assert "damaged: wheels/tinydep-1.0-py3-none-any.whl (its checksum differs)" in told
    assert told.count("\n  ") == 3
    assert set(tmp_path.rglob("*")) == before


def test_a_wheel_that_was_not_packed_is_refused(bundle, tmp_path):
    make_wheel(bundle / "wheels", "evil")
    with pytest.raises(BundleError, match="not in the list: wheels/evil-1.0"):
        install(bundle, tmp_path / "to")


def test_a_sound_bundle_passes_and_is_counted(bundle, capsys):
    assert command_line.main(["install", str(bundle), "--check"]) == 0
    count = len(json.loads((bundle / "manifest.json").read_text())["files"])
    assert f"all {count} files are as packed" in capsys.readouterr().out


def test_the_installer_reads_its_own_bundle_without_the_kit(bundle):
    command = [sys.executable, "-I", "-S", "install.py", "--check"]
    sound = subprocess.run(command, cwd=bundle, capture_output=True, text=True)
    assert sound.returncode == 0 and "files are as packed" in sound.stdout
    damage_it(bundle)
    hurt = subprocess.run(command, cwd=bundle, capture_output=True, text=True)
    assert hurt.returncode == 1 and "missing: project/start.py" in hurt.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: "{", "damaged"),
        (lambda m: "[]", "damaged"),
        (lambda m: json.dumps(m | {"files": {"a": {"bytes": 1}}}), "damaged.*sha256"),
        (lambda m: json.dumps(m | {"targets": []}), "lists nothing"),
        (
            lambda m: json.dumps(m | {"format": "other"}),
            "must have the format.*'other'",
        ),
        (
            lambda m: json.dumps(
                m | {"files": {"../../a": {"bytes": 1, "sha256": "x"}}}
            ),
            r"\.\./\.\./a",
        ),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(bundle, tmp_path, change, told):
    path = bundle / "manifest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(BundleError, match=told):
        install(bundle, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="is no bundle: it has no manifest.json"):
        check(tmp_path)


# ---------------------------------------------------------------------- install
def test_an_existing_target_is_refused_and_left_alone(bundle, tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "work.txt").write_text("mine")
    with pytest.raises(BundleError, match="--to .*to' exists already"):
        install(bundle, tmp_path / "to")
    assert (tmp_path / "to" / "work.txt").read_text() == "mine"


def test_a_target_inside_the_bundle_is_refused(bundle, monkeypatch):
    monkeypatch.chdir(bundle)
    before = whole_listing(bundle)
    with pytest.raises(BundleError, match="'distillation' lies in the bundle"):
        install(".")
    assert whole_listing(bundle) == before


def test_without_fitting_wheels_the_bundle_says_which_it_has(pack, tmp_path):
    folder = pack(targets=[OTHER, Target("macos", "3.13")])
    with pytest.raises(BundleError) as error:
        install(folder, tmp_path / "to", here=Target("linux-arm", "3.10"))
    told = str(error.value)
    assert "no wheels for linux-arm with Python 3.10" in told
    assert f"{OTHER}, macos with Python 3.13" in told
    assert "--platform linux-arm --python 3.10" in told


@pytest.fixture
def without_pip(monkeypatch):
    """Copy and check for real, but install no package."""

    def pretend(folder, bundle, target):
        (folder / ".venv").mkdir()

    monkeypatch.setattr(installing, "_install_packages", pretend)


def test_damage_to_another_laptops_wheels_stops_nobody(pack, tmp_path, without_pip):
    folder = pack(targets=[HERE, OTHER])
    (folder / "wheels" / "tinydep-2.0-py3-none-any.whl").unlink()
    install(folder, tmp_path / "to")
    with pytest.raises(BundleError, match="missing: wheels/tinydep-2.0"):
        check(folder)


def test_data_may_stay_in_the_bundle(pack, mirror, model, tmp_path, without_pip):
    folder = pack(imdb=mirror, models=[str(model)])
    where = install(folder, tmp_path / "to", data_in_place=True)
    assert not (where / "imdb").exists()
    told = last_words(where)
    assert str(folder / "imdb") in told
    assert str(folder / "models" / "teacher") in told


@pytest.mark.parametrize("error", [KeyboardInterrupt, None])
def test_half_an_installation_is_taken_away(bundle, tmp_path, monkeypatch, error):
    def fails(*command, **_):
        if error:
            raise error
        return False

    monkeypatch.setattr(installing, "run", fails)
    with pytest.raises(error or BundleError):
        install(bundle, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.fixture(scope="module")
def installed(kit, mirror, tmp_path_factory):
    """Run the installer of a read-only bundle, with a package index that is not."""
    folder = tmp_path_factory.mktemp("class") / "bundle"
    packing.pack(folder, [OTHER, HERE], get=tiny_wheels, root=kit, imdb=mirror)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = whole_listing(folder)
    to = folder.parent / "my lessons"
    environment = os.environ | {"PIP_INDEX_URL": NOWHERE, "PIP_FIND_LINKS": NOWHERE}
    done = subprocess.run(
        [sys.executable, "install.py", "--to", str(to)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    after = whole_listing(folder)
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 0, done.stdout + done.stderr
    return to, done.stdout, before, after


def test_installing_writes_nothing_into_the_bundle(installed):
    _, _, before, after = installed
    assert after == before


def test_the_lessons_run_after_it_without_a_network(installed):
    to, _, _, _ = installed
    done = subprocess.run(
        [sys.executable, "start.py", "lessons"],
        cwd=to,
        env=os.environ | {"PIP_INDEX_URL": NOWHERE, "PIP_FIND_LINKS": NOWHERE},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # The bundle's wheel for the other laptops is newer.
    assert "lessons ran with 1.0" in done.stdout
    assert "pip" not in done.stdout  # start.py saw its stamp


def test_the_last_words_say_how_to_go_on(installed):
    to, told, _, _ = installed
    assert f'cd "{to}"' in told
    assert "start.py lab" in told
    assert f"find it in {to / 'imdb'}" in told


def test_the_real_kit_comes_through_a_bundle_and_answers(tmp_path, without_pip):
    bundle = tmp_path / "bundle"
    packing.pack(bundle, [HERE], get=tiny_wheels)
    where = install(bundle, tmp_path / "to")
    for name in ("start.py", "setup.py", "notebooks", "data/teacher.json"):
        assert (where / name).exists(), name
    command = [sys.executable, "-S", "-m", "distill_helpers", "install", bundle]
    done = subprocess.run(
        [*command, "--check"], cwd=where, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "files are as packed" in done.stdout


def test_a_copy_of_read_only_files_can_be_changed(installed):
    to, _, _, _ = installed
    assert (to / "notebooks" / "01.ipynb").stat().st_mode & 0o200


# ----------------------------------------------------------- progress of a class
KEYS = [entry.key for entry in all_entries()]


def done(attempts=1, when="2026-01-01T10:00:00+00:00", status="correct"):
    return {"status": status, "attempts": attempts, "when": when}


def progress(exercises, version=1):
    return json.dumps({"version": version, "exercises": exercises})


@pytest.fixture
def handed_in(tmp_path):
    """The folder into which learners drop their files."""

    def drop(name, content):
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    drop.folder = tmp_path / "class"
    drop("ada.json", progress({KEYS[0]: done(1), KEYS[1]: done(4)}))
    drop("bob/progress.json", progress({KEYS[0]: done(3), KEYS[-1]: done(1)}))
    drop("cy/runs/progress (1).json", progress({KEYS[1]: done(6, status="incorrect")}))
    return drop


def problems_of(found):
    return {p.file: (p.kind, p.reason) for p in found.problems.itertuples()}


def test_a_learner_is_named_by_file_or_folder(handed_in):
    found = collect_progress(handed_in.folder)
    assert list(found.table.index) == ["ada", "bob", "cy"]
    assert found.problems.empty


def test_the_table_counts_what_is_done_in_each_lesson(handed_in):
    table = collect_progress(handed_in.folder).table
    assert list(table) == [*sorted({key[:2] for key in KEYS}), "all"]
    first, last = KEYS[0][:2], KEYS[-1][:2]
    assert table.loc["ada", [first, last, "all"]].tolist() == [2, 0, 2]
    assert table.loc["bob", [first, last, "all"]].tolist() == [1, 1, 2]
    assert table.loc["cy", "all"] == 0


def test_the_hardest_exercise_comes_first_and_the_untried_last(handed_in):
    frame = collect_progress(handed_in.folder).exercises
    assert sorted(frame.index) == sorted(KEYS)
    assert frame.index[:3].tolist() == [KEYS[1], KEYS[0], KEYS[-1]]
    assert frame.loc[KEYS[1], ["solved", "tried", "attempts"]].tolist() == [1, 2, 5.0]
    assert frame.loc[KEYS[0], "attempts"] == 2.0
    assert (frame["tried"].iloc[3:] == 0).all()
    assert frame["attempts"].iloc[3:].isna().all()


def test_a_guess_that_was_not_yet_compared_is_not_done(handed_in):
    guess = {"guess": 3.0, "attempts": 0, "when": "2026-01-01"}
    handed_in("dee.json", progress({KEYS[0]: guess}))
    found = collect_progress(handed_in.folder)
    assert found.table.loc["dee", "all"] == 0
    assert found.exercises.loc[KEYS[0], "tried"] == 2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "empty"),
        (" \n", "empty"),
        (progress({}), "empty"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        (json.dumps({"version": 1}), "damaged"),
        (progress([1]), "damaged"),
        (progress({KEYS[0]: 1}), "damaged"),
        (progress({KEYS[0]: done(attempts=-1)}), "damaged"),
        (progress({KEYS[0]: done(attempts="2")}), "damaged"),
        (progress({KEYS[0]: done(attempts=0)}), "damaged"),
        (progress({KEYS[0]: done(status="perfect")}), "damaged"),
        (progress({KEYS[0]: done(when=3)}), "damaged"),
        (progress({KEYS[0]: done()}, version=2), "foreign"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_not_counted(handed_in, content, kind):
    before = collect_progress(handed_in.folder)
    handed_in("dee/progress.json", content)
    found = collect_progress(handed_in.folder)
    assert problems_of(found)["dee/progress.json"][0] == kind
    assert found.table.equals(before.table)
    assert found.exercises.equals(before.exercises)


def test_of_two_files_of_one_learner_the_newer_counts(handed_in):
    later = done(2, when="2026-01-02T10:00:00+00:00")
    handed_in("Ada/progress.json", progress({key: later for key in KEYS[:4]}))
    found = collect_progress(handed_in.folder)
    assert found.table.loc["Ada", "all"] == 4
    assert len(found.table) == 3
    kind, reason = problems_of(found)["ada.json"]
    assert kind == "duplicate" and "the newer Ada/progress.json" in reason


def test_a_file_handed_in_twice_counts_once(handed_in):
    text = (handed_in.folder / "ada.json").read_text()
    handed_in("zoe.json", text)  # under another learner's name
    handed_in("more/ada.json", text)
    found = collect_progress(handed_in.folder)
    assert list(found.table.index) == ["ada", "bob", "cy"]
    named = problems_of(found)
    assert {kind for kind, _ in named.values()} == {"duplicate"}
    assert len(named) == 2 and "zoe.json" in named


def test_exercises_of_another_kit_are_named_and_the_others_count(handed_in):
    handed_in("dee.json", progress({KEYS[0]: done(), "99.new": done()}))
    found = collect_progress(handed_in.folder)
    assert problems_of(found) == {
        "dee.json": ("unknown", "exercises that this kit does not have: 99.new")
    }
    assert found.table.loc["dee", "all"] == 1


def test_hidden_files_and_locks_are_passed_over(handed_in):
    handed_in("._ada.json", "x")
    handed_in(".git/config.json", "x")
    handed_in("bob/progress.json.lock", "")
    assert collect_progress(handed_in.folder).problems.empty


def test_a_folder_without_a_usable_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a folder; it is none"):
        collect_progress(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no file at all"):
        collect_progress(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(FileNotFoundError, match="a.json: cannot be read"):
        collect_progress(tmp_path)


def test_the_command_shows_all_and_keeps_the_table(handed_in, tmp_path, capsys):
    import pandas as pd

    handed_in("dee.json", "{")
    csv = tmp_path / "class.csv"
    show_progress([str(handed_in.folder), "--csv", str(csv)])
    told = capsys.readouterr().out
    assert f"all (of {len(KEYS)})" in told
    assert "damaged: dee.json" in told
    kept = pd.read_csv(csv, index_col="learner", dtype={"learner": str})
    assert kept["all"].to_dict() == {"ada": 2, "bob": 2, "cy": 0}
    before = csv.read_bytes()
    with pytest.raises(SystemExit, match="exists already"):
        show_progress([str(handed_in.folder), "--csv", str(csv)])
    assert csv.read_bytes() == before
