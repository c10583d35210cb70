"""The doctor finds what is wrong with a machine, and nothing where all is well.

Faults are planted where a machine has them: in files, in variables, in a record
of a package, in a package that cannot be imported.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import packaging.requirements
import packaging.utils
import psutil
import pytest
from hub_server import HubServer

import distill_helpers.__main__ as command_line
from distill_helpers import places
from distill_helpers.classroom.doctor import (
    compute,
    data,
    examination,
    jupyter,
    machine,
    packages,
    programs,
    report,
)
from distill_helpers.data import imdb
from distill_helpers.export import browser, onnx

GIB = 2**30
SITE = Path(psutil.__file__).resolve().parent.parent


# ----------------------------------------------------------- planting faults
def environment(**changes):
    """The real environment, without what the tests themselves have set."""
    plain = dict(os.environ) | {"NO_PROXY": "127.0.0.1"}
    for name in ("HF_HUB_OFFLINE", "DISTILL_PROGRESS", "DISTILL_IMDB", "HF_TOKEN"):
        plain.pop(name, None)
    plain |= {name: str(value) for name, value in changes.items()}
    before = [plain["PYTHONPATH"]] if "PYTHONPATH" in plain else []
    plain["PYTHONPATH"] = os.pathsep.join([*before, str(places.PROJECT)])
    return plain


def call(folder, *words, **changes):
    """``python -m distill_helpers`` as a reader calls it, in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "distill_helpers", *words],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def examined(folder, *words, **changes):
    """Return the exit status and the findings by name."""
    done = call(folder, "doctor", "--json", *words, **changes)
    report = json.loads(done.stdout)
    return done.returncode, {f["name"]: f for f in report["findings"]}


def one_check(folder, expression, python=sys.executable, **changes):
    """Return a single finding from a process with a changed environment."""
    code = (
        "import json, dataclasses; from distill_helpers.classroom.doctor import"
        " data, jupyter, machine, packages;"
        f" print(json.dumps(dataclasses.asdict({expression})))"
    )
    done = subprocess.run(
        [python, "-c", code],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return report.Finding(**json.loads(done.stdout.splitlines()[-1]))


def broken_package(folder, name, body):
    """A package that stands before the real one and does `body` at its import."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "__init__.py").write_text(body, "utf-8")
    return folder


def installed(folder, name, version):
    """The record that an installation of a package leaves."""
    spelt = packaging.utils.canonicalize_name(name).replace("-", "_")
    record = folder / f"{spelt}-{version}.dist-info"
    record.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", ""]
    (record / "METADATA").write_text("\n".join(lines))
    return record


@pytest.fixture
def all_installed(tmp_path, monkeypatch):
    """A search path with nothing but a record of each package, at its lowest."""
    records = {}
    for requirement in packages.declared().packages[""]:
        lowest = min(requirement.specifier, key=lambda part: part.operator != ">=")
        name = requirement.name
        records[name] = installed(tmp_path / "site", name, lowest.version)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    return records


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """A new environment: a real Python with no kernel and no JupyterLab.

    It borrows the packages of this one, as a broken installation would.
    """
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    site = next(folder.rglob("site-packages"))
    (site / "borrowed.pth").write_text(f"{SITE}\n", "utf-8")
    return folder / inside


@pytest.fixture
def own_data(tmp_path):
    """A copy of the shipped files, with their checksums."""
    folder = tmp_path / "data"
    for name in data.checksums():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(places.PROJECT / "data" / name, folder / name)
    shutil.copyfile(places.PROJECT / "data" / data.CHECKSUMS, folder / data.CHECKSUMS)
    return folder


# ------------------------------------------------------------ a healthy machine
def test_a_healthy_machine_has_no_failure(tmp_path):
    done = call(tmp_path, "doctor", "--json")
    report = json.loads(done.stdout)
    failed = [f for f in report["findings"] if f["status"] == "FAIL"]
    assert not failed and done.returncode == 0
    assert report["seconds"] > 0
    names = [finding["name"] for finding in report["findings"]]
    assert len(set(names)) == len(names) >= 20
    for finding in report["findings"]:
        assert finding["name"] and finding["seen"]
        assert finding["status"] in ("OK", "WARN")
        assert finding["cure"] or finding["status"] == "OK"
    assert report["counts"]["OK"] + report["counts"]["WARN"] == len(names)
    assert not list(tmp_path.iterdir()), "the doctor leaves no trace"


def test_the_doctor_comes_without_what_is_slow_to_import(tmp_path):
    code = (
        "import sys; from distill_helpers.classroom.doctor import examination;"
        " print(not {'numpy', 'psutil', 'packaging'} & set(sys.modules));"
        " examination.examine();"
        " print({'torch', 'transformers', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "set()"]


# --------------------------------------------------------- Python and packages
def test_another_python_than_the_tested_ones_is_found(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.99,<4"\ndependencies = []\n'
    )
    found = packages.check_python(packages.declared(tmp_path))
    assert found.status == "FAIL" and ">=3.99,<4" in found.cure
    assert packages.check_python(packages.declared()).status == "OK"


def test_without_a_project_file_the_installation_says_what_is_needed(
    tmp_path, monkeypatch
):
    record = installed(tmp_path / "site", packages.NAME, "0.1.0")
    with open(record / "METADATA", "w", encoding="utf-8") as file:
        file.write(
            "Metadata-Version: 2.1\nName: distill-helpers\nVersion: 0.1.0\n"
            "Requires-Python: <3.99,>=3.10\nProvides-Extra: serve\n"
            "Requires-Dist: torch<3,>=2\n"
            'Requires-Dist: elsewhere; sys_platform == "no-such-system"\n'
            'Requires-Dist: uvicorn<1,>=0.30; extra == "serve"\n\n'
        )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    found = packages.declared(tmp_path)
    assert found.python == "<3.99,>=3.10"
    names = {extra: [r.name for r in rs] for extra, rs in found.packages.items()}
    assert names == {"": ["torch"], "serve": ["uvicorn"]}


def test_packages_within_their_ranges_are_one_line(all_installed):
    (found,) = packages.check_packages(packages.declared())
    assert found.status == "OK"
    assert found.seen.startswith(f"{len(all_installed)} of {len(all_installed)} ")


def test_a_missing_package_is_named_with_what_installs_it(all_installed):
    shutil.rmtree(all_installed["optuna"])
    fitting, found = packages.check_packages(packages.declared())
    assert (found.name, found.status) == ("package optuna", "FAIL")
    assert found.seen == "is not installed"
    assert 'pip install "optuna>=' in found.cure and sys.executable in found.cure
    assert fitting.seen.startswith(f"{len(all_installed) - 1} of")


def test_an_old_package_is_a_failure_and_a_newer_one_a_warning(all_installed, tmp_path):
    for name, version in (("pandas", "0.9"), ("torch", "99.0+cpu")):
        shutil.rmtree(all_installed[name])
        installed(tmp_path / "site", name, version)
    found = {f.name: f for f in packages.check_packages(packages.declared())}
    assert found["package pandas"].status == "FAIL"
    assert "0.9 is not within >=" in found["package pandas"].seen
    assert found["package torch"].status == "WARN"
    assert "99.0+cpu is newer than what was tested" in found["package torch"].seen
    assert all(f.cure for f in found.values() if f.status != "OK")


@pytest.mark.parametrize("content", [None, "", "Name: tqdm\nVersion: not-a-number\n"])
def test_what_an_interrupted_installation_leaves_is_found(all_installed, content):
    record = all_installed["tqdm"] / "METADATA"
    record.unlink()
    if content is not None:
        record.write_text(content)
    _, found = packages.check_packages(packages.declared())
    assert (found.name, found.status) == ("package tqdm", "FAIL")
    wrong = "the odd version 'not-a-number'" if content else "is damaged"
    assert wrong in found.seen


def test_a_python_without_the_packages_is_one_line(all_installed, tmp_path):
    for record in list(all_installed.values())[5:]:
        shutil.rmtree(record)
    (found,) = packages.check_packages(packages.declared())
    assert (found.name, found.status) == ("packages", "FAIL")
    assert "not installed in this Python" in found.seen and found.cure


def test_a_call_by_another_python_is_pointed_to_the_one_of_the_kit(
    tmp_path, bare_python
):
    inside = bare_python.relative_to(bare_python.parents[1])
    assert packages._other_python(tmp_path) == ""
    (tmp_path / ".venv" / inside).parent.mkdir(parents=True)
    (tmp_path / ".venv" / inside).write_text("")
    cure = packages._other_python(tmp_path)
    assert f"Call .venv/{inside.as_posix()} instead of {sys.executable}" in cure


def test_an_old_package_makes_the_whole_call_fail(tmp_path):
    installed(tmp_path / "site", "tqdm", "1.0")
    status, found = examined(tmp_path, PYTHONPATH=tmp_path / "site")
    assert status == 1
    failed = [name for name, f in found.items() if f["status"] == "FAIL"]
    assert failed == ["package tqdm"]


def test_a_kit_that_notebooks_cannot_import_is_found(tmp_path, bare_python):
    found = one_check(
        tmp_path,
        "[__import__('os').environ.pop('PYTHONPATH'), packages.check_installation()][1]",
        python=bare_python,
    )
    assert found.status == "FAIL"
    assert "cannot import distill_helpers" in found.seen and found.cure


def test_a_second_copy_of_the_kit_is_found(tmp_path):
    (tmp_path / "kit").mkdir()
    copy = broken_package(tmp_path / "kit", "distill_helpers", "")
    found = one_check(
        tmp_path,
        f"[__import__('os').environ.update(PYTHONPATH={str(copy)!r}),"
        " packages.check_installation()][1]",
    )
    assert found.status == "WARN" and "another copy" in found.seen


# --------------------------------------------------------------- the machine
@pytest.mark.parametrize(
    ("free", "status"), [(50 * GIB, "OK"), (GIB, "WARN"), (1, "FAIL")]
)
def test_a_full_disk_is_found(tmp_path, monkeypatch, free, status):
    usage = SimpleNamespace(total=100 * GIB, used=0, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = machine.check_disk([tmp_path / "runs"])
    assert found.status == status and bool(found.cure) == (status != "OK")


def test_the_fuller_of_two_disks_counts(tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()

    def usage(place):
        return SimpleNamespace(free=1 if Path(place) == small else 50 * GIB)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    found = machine.check_disk([tmp_path / "runs", small / "hub"])
    assert found.status == "FAIL" and str(small) in found.seen


@pytest.mark.parametrize(
    ("free", "status"), [(6 * GIB, "OK"), (1.5 * GIB, "WARN"), (GIB / 2, "FAIL")]
)
def test_little_memory_is_found(monkeypatch, free, status):
    memory = SimpleNamespace(total=8 * GIB, available=free)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    found = machine.check_memory()
    assert found.status == status and bool(found.cure) == (status != "OK")
    assert "of 8.0 GiB" in found.seen


def cores(monkeypatch, count, threads, setting=None):
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(count), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if setting:
        monkeypatch.setenv("OMP_NUM_THREADS", setting)
    return machine.check_cores({"threads": threads} if threads else {"error": "?"})


def test_one_core_is_a_warning(monkeypatch):
    assert cores(monkeypatch, 1, 1).status == "WARN"
    assert cores(monkeypatch, 4, 4).status == "OK"
    assert cores(monkeypatch, 4, 2, "2").status == "OK"


def test_threads_that_do_not_fit_the_cores_are_a_warning(monkeypatch):
    idle = cores(monkeypatch, 8, 1, "1")
    assert idle.status == "WARN" and "OMP_NUM_THREADS=1" in idle.seen
    assert "set it to 8" in idle.cure
    assert cores(monkeypatch, 2, 8, "8").status == "WARN"


def test_cores_are_counted_without_pytorch_too(monkeypatch):
    found = cores(monkeypatch, 4, None)
    assert found.status == "OK" and "PyTorch takes unknown" in found.seen


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system gives no cores away"
)
def test_a_process_that_may_use_one_core_of_many_is_warned(tmp_path):
    found = one_check(
        tmp_path,
        "[__import__('os').sched_setaffinity(0,"
        " {min(__import__('os').sched_getaffinity(0))}), machine.check_cores({})][1]",
    )
    assert found.status == "WARN" and found.seen.startswith("1 of ")


@pytest.mark.parametrize(
    ("kind", "line", "has", "lacks"),
    [
        ("x86_64", "flags\t\t: fpu avx2 avx512_vnni", "AVX2, AVX512-VNNI", "BF16"),
        ("aarch64", "Features\t: fp asimddp bf16", "dot product, BF16", "I8MM"),
    ],
)
def test_what_the_processor_has_is_read_and_never_a_fault(
    tmp_path, monkeypatch, kind, line, has, lacks
):
    monkeypatch.setattr("platform.machine", lambda: kind)
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n")
    found = machine.check_processor({}, tmp_path / "cpuinfo")
    assert found.status == "OK"
    with_, without = found.seen.split("; without ")
    assert with_ == f"{kind}: {has}" and lacks in without


def test_elsewhere_pytorch_tells_what_the_processor_has(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    none = tmp_path / "none"
    found = machine.check_processor({"features": ["dot", "bf16"]}, none)
    assert "dot product, BF16; without" in found.seen
    assert "features unknown" in machine.check_processor({"error": "?"}, none).seen


# ------------------------------------------------------------------- folders
def test_a_file_where_the_results_go_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert machine.check_results().status == "OK"
    Path("runs").write_text("", "utf-8")
    found = machine.check_results()
    assert found.status == "FAIL" and "runs is not a folder" in found.seen


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_folder_that_nobody_may_write_to_is_found(monkeypatch):
    monkeypatch.chdir("/proc/self")  # closed to root as well
    found = machine.check_results()
    assert found.status == "FAIL" and found.cure


def test_a_hub_cache_that_cannot_be_written_is_found(tmp_path):
    (tmp_path / "file").write_text("")
    found = one_check(
        tmp_path, "data.check_hub_cache()", HF_HOME=tmp_path / "file" / "hub"
    )
    assert found.status == "WARN" and "HF_HOME" in found.cure
    fine = one_check(tmp_path, "data.check_hub_cache()", HF_HOME=tmp_path / "hub")
    assert fine.status == "OK" and str(tmp_path / "hub") in fine.seen
    assert not (tmp_path / "hub").exists()


# ------------------------------------------------------------------- Jupyter
def kernel(folder, content):
    """Register a kernel in a folder for JUPYTER_PATH."""
    home = folder / "kernels" / "python3"
    home.mkdir(parents=True)
    if not isinstance(content, str):
        about = {"argv": content, "display_name": "Python 3", "language": "python"}
        content = json.dumps(about)
    (home / "kernel.json").write_text(content)


def test_the_kernel_of_this_python_is_found(tmp_path, monkeypatch):
    kernel(tmp_path, ["python", "-m", "ipykernel_launcher", "-f", "{file}"])
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = jupyter.check_kernel()
    assert found.status == "OK" and sys.executable in found.seen


def test_a_missing_kernel_is_found(tmp_path, bare_python):
    # Without ipykernel, for Jupyter would take that in a kernel's stead.
    broken_package(tmp_path / "site", "ipykernel", "")
    found = one_check(
        tmp_path,
        "[setattr(__import__('jupyter_core.paths').paths, 'SYSTEM_JUPYTER_PATH', []),"
        " jupyter.check_kernel()][1]",
        python=bare_python,
        PYTHONPATH=tmp_path / "site",
        JUPYTER_DATA_DIR=tmp_path / "own",
        IPYTHONDIR=tmp_path / "ipython",
    )
    assert found.status == "FAIL" and "no kernel 'python3'" in found.seen
    assert "ipykernel install" in found.cure


def test_a_kernel_whose_python_is_gone_is_found(tmp_path, monkeypatch):
    gone = str(tmp_path / "old" / "bin" / "python")
    kernel(tmp_path, [gone, "-m", "ipykernel_launcher"])
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = jupyter.check_kernel()
    assert found.status == "FAIL" and gone in found.seen
    assert str(tmp_path / "kernels" / "python3") in found.cure


@pytest.mark.parametrize("content", ["{", "[]", []])
def test_a_damaged_kernel_is_found(tmp_path, monkeypatch, content):
    kernel(tmp_path, content)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (found,) = examination._guarded("kernel", jupyter.check_kernel)
    assert found.status == "FAIL" and found.cure


def test_a_kernel_of_a_python_without_the_kit_is_found(tmp_path, monkeypatch):
    venv.create(tmp_path / "other", with_pip=False, symlinks=os.name != "nt")
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    kernel(tmp_path, [str(tmp_path / "other" / inside), "-m", "ipykernel_launcher"])
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    found = jupyter.check_kernel()
    assert found.status == "FAIL"
    assert "lacks ipykernel, distill_helpers" in found.seen


def test_a_missing_extension_for_widgets_is_found(tmp_path, bare_python):
    found = one_check(
        tmp_path,
        "[setattr(__import__('jupyter_core.paths').paths, 'SYSTEM_JUPYTER_PATH', []),"
        " jupyter.check_widgets()][1]",
        python=bare_python,
        JUPYTER_DATA_DIR=tmp_path,
    )
    assert found.status == "FAIL" and "is missing" in found.seen
    assert "jupyterlab_widgets" in found.cure


def test_an_extension_for_widgets_that_is_switched_off_is_found(tmp_path, monkeypatch):
    (tmp_path / "labconfig").mkdir()
    settings = {"disabledExtensions": {jupyter.WIDGETS: True}}
    (tmp_path / "labconfig" / "page_config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    found = jupyter.check_widgets()
    assert found.status == "FAIL" and "switched off" in found.seen
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "empty"))
    assert jupyter.check_widgets().status == "OK"


# -------------------------------------------------------------- what computes
def computed(name, monkeypatch, site):
    monkeypatch.setenv("PYTHONPATH", str(site))
    return compute.check_computing(name, compute.in_child(name))


@pytest.mark.parametrize(
    ("name", "package"), [("PyTorch", "torch"), ("ONNX Runtime", "onnxruntime")]
)
def test_a_runtime_that_cannot_be_loaded_is_found(tmp_path, monkeypatch, name, package):
    error = "raise ImportError('DLL load failed while importing it')"
    site = broken_package(tmp_path / "site", package, error)
    found = computed(name, monkeypatch, site)
    assert found.status == "FAIL"
    assert found.seen == "ImportError: DLL load failed while importing it"
    assert "Visual C++" in found.cure


def test_a_runtime_that_takes_its_process_down_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body = "import os, signal; os.kill(os.getpid(), signal.SIGABRT)"
    site = broken_package(tmp_path / "site", "torch", body)
    found = computed("PyTorch", monkeypatch, site)
    assert found.status == "FAIL" and "its process ended with" in found.seen
    if os.name != "nt":
        assert "SIGABRT" in found.seen


def test_a_processor_that_is_too_old_is_told_from_other_faults():
    for word in ("SIGILL", "status 0xc000001d"):
        facts = {"error": f"its process ended with {word}"}
        assert "another machine" in compute.check_computing("PyTorch", facts).cure


def test_a_runtime_that_never_answers_is_found(tmp_path, monkeypatch):
    site = broken_package(tmp_path / "site", "torch", "import time; time.sleep(60)")
    monkeypatch.setattr(programs, "CHILD_SECONDS", 1)
    found = computed("PyTorch", monkeypatch, site)
    assert found.status == "FAIL" and "no answer within 1 s" in found.seen


def test_a_runtime_that_computes_wrongly_is_found(tmp_path, monkeypatch):
    body = """
import numpy
__version__ = "0.0"
class InferenceSession:
    def __init__(self, model, providers):
        print("a library may print")
    def run(self, names, inputs):
        return [numpy.zeros((4, 8), "float32")]
"""
    site = broken_package(tmp_path / "site", "onnxruntime", body)
    found = computed("ONNX Runtime", monkeypatch, site)
    assert found.status == "FAIL" and "0.0 computes wrongly" in found.seen


def test_a_result_that_is_no_number_is_found():
    facts = {"version": "1", "difference": float("nan")}
    assert compute.check_computing("PyTorch", facts).status == "FAIL"


def test_one_broken_module_fails_its_check_and_the_rest_goes_on(tmp_path):
    site = broken_package(tmp_path / "site", "psutil", "raise OSError('no libc')")
    broken_package(site, "torch", "import no_such_module")
    status, found = examined(tmp_path, PYTHONPATH=site)
    assert status == 1
    failed = {name for name, f in found.items() if f["status"] == "FAIL"}
    assert failed == {"memory", "PyTorch"}
    assert found["memory"]["seen"] == "OSError: no libc"
    assert "no_such_module" in found["PyTorch"]["seen"]
    assert all(found[name]["cure"] for name in failed)
    assert len(found) >= 20


def test_the_tiny_model_is_of_the_version_that_the_lessons_use():
    assert compute.OPSET == onnx.OPSET


# ---------------------------------------------------------------------- data
def test_the_shipped_files_are_what_their_checksums_say():
    stored = json.loads((places.DATA / data.CHECKSUMS).read_text("utf-8"))
    assert stored["sha256"] == data.checksums(), (
        "after a change of data/: python -m distill_helpers doctor --write-checksums"
    )
    found = {places.DATA / name for name in stored["sha256"]}
    targets = set((places.DATA / "soft_targets").glob("*.parquet"))
    own = {places.PRACTICE_FILE, places.SAMPLE_REVIEWS, places.DATA / "teacher.json"}
    assert found >= own | targets
    assert data.check_data().status == "OK"


def test_a_damaged_file_is_found(own_data):
    path = own_data / "soft_targets" / "sample.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = data.check_data(own_data)
    assert found.status == "FAIL"
    assert found.seen == "soft_targets/sample.parquet is damaged or changed"
    assert "git checkout -- data/soft_targets/sample.parquet'" in found.cure


def test_a_cut_off_and_a_missing_file_are_found(own_data):
    path = own_data / "sample_reviews" / "reviews.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    (own_data / "teacher.json").unlink()
    found = data.check_data(own_data)
    assert found.status == "FAIL"
    assert "reviews.jsonl is damaged" in found.seen
    assert "teacher.json is missing" in found.seen


def test_line_ends_of_another_system_are_no_damage(own_data):
    for name in ("sample_reviews/reviews.jsonl", "teacher.json"):
        content = (own_data / name).read_bytes()
        assert b"\r" not in content
        (own_data / name).write_bytes(content.replace(b"\n", b"\r\n"))
    assert data.check_data(own_data).status == "OK"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"sha256": {}}'])
def test_checksums_that_are_missing_or_damaged_are_found(own_data, content):
    path = own_data / data.CHECKSUMS
    path.unlink()
    if content is not None:
        path.write_text(content)
    found = data.check_data(own_data)
    assert found.status == "FAIL" and data.CHECKSUMS in found.seen


def test_checksums_are_written_anew_after_a_change(own_data):
    (own_data / "teacher.json").write_text("{}")
    assert data.check_data(own_data).status == "FAIL"
    assert data.write_checksums(own_data) == own_data / data.CHECKSUMS
    assert data.check_data(own_data).status == "OK"


# ------------------------------------------------------- IMDB, Hub, progress
def test_imdb_that_is_not_here_is_no_fault(tmp_path):
    found = one_check(tmp_path, "data.check_imdb()", HF_HOME=tmp_path)
    assert (found.status, found.cure) == ("OK", "")
    assert "the lessons use the sample" in found.seen


def test_a_mirror_of_imdb_is_found(small_mirror, monkeypatch):
    monkeypatch.setenv("DISTILL_IMDB", str(small_mirror))
    assert data.check_imdb() == report.Finding("IMDB", "OK", "found, by DISTILL_IMDB")


def test_a_variable_that_names_a_folder_without_imdb_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILL_IMDB", str(tmp_path))
    found = data.check_imdb()
    assert found.status == "FAIL" and str(tmp_path) in found.cure


def test_the_hub_is_not_asked_unbidden():
    assert data.check_hub() == report.Finding("Hub", "OK", "not asked; --network asks")


def test_a_hub_that_answers_is_found_where_the_variable_says(tmp_path):
    with HubServer(imdb.IMDB_ID, tmp_path) as hub:
        found = one_check(
            tmp_path, "data.check_hub(True)", HF_ENDPOINT=hub.url, HF_HOME=tmp_path
        )
        asked = [path for _, path, _ in hub.requests]
    assert found.status == "OK" and hub.url.endswith(found.seen.split()[0])
    assert f"/api/datasets/{imdb.IMDB_ID}" in asked


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_hub_that_cannot_be_reached_is_a_warning_and_keeps_secrets(tmp_path):
    status, found = examined(
        tmp_path,
        "--network",
        HF_ENDPOINT=f"http://me:hunter2@127.0.0.1:{free_port()}",
        HF_TOKEN="hf_verysecret",
    )
    assert found["Hub"]["status"] == "WARN" and status == 0
    assert found["Hub"]["seen"].startswith("127.0.0.1:")
    assert "no lesson needs the Hub" in found["Hub"]["cure"]
    assert not any(
        "hunter2" in str(f) or "verysecret" in str(f) for f in found.values()
    )


def test_a_hub_that_is_silent_is_not_waited_for(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = one_check(
            tmp_path,
            "data.check_hub(True, seconds=0.5)",
            HF_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}",
        )
    assert found.status == "WARN"


class Portal(BaseHTTPRequestHandler):
    """What a hotel's network answers to everything."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>Please log in</h1>")

    def log_message(self, *_):
        pass


def test_a_log_in_page_is_not_taken_for_the_hub(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = one_check(
        tmp_path,
        "data.check_hub(True)",
        HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
    )
    server.shutdown()
    server.server_close()
    assert found.status == "WARN" and "is not usable" in found.seen


def test_a_wish_to_stay_offline_is_kept(tmp_path):
    found = one_check(tmp_path, "data.check_hub(True)", HF_HUB_OFFLINE=1)
    assert found.status == "OK" and "HF_HUB_OFFLINE" in found.seen


@pytest.mark.parametrize("content", ["{", '{"version": 99}', '{"version": 1}'])
def test_a_damaged_progress_file_is_found_and_left_alone(
    tmp_path, monkeypatch, content
):
    path = tmp_path / "progress.json"
    path.write_text(content)
    monkeypatch.setenv("DISTILL_PROGRESS", str(path))
    found = data.check_progress()
    assert found.status == "WARN" and str(path) in found.cure
    assert path.read_text() == content


def test_progress_is_counted_and_its_folder_tried(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("DISTILL_PROGRESS", str(path))
    assert data.check_progress().seen.startswith("0 exercises")
    path.write_text('{"version": 1, "exercises": {"02.kd_loss": {"attempts": 1}}}')
    assert data.check_progress().seen.startswith("1 exercises")
    monkeypatch.setenv("DISTILL_PROGRESS", str(path / "below" / "progress.json"))
    assert data.check_progress().status == "WARN"


# -------------------------------------------------------------------- extras
def test_an_extra_that_is_not_there_is_no_fault(all_installed, tmp_path):
    wanted = packages.declared()
    found = packages.check_extra("serve", wanted)
    assert found.status == "OK" and 'pip install ".[serve]"' in found.seen
    for requirement in wanted.packages["serve"]:
        version = next(p.version for p in requirement.specifier if p.operator == ">=")
        installed(tmp_path / "site", requirement.name, version)
    assert "fastapi 0." in packages.check_extra("serve", wanted).seen


def test_an_extra_of_another_version_is_a_warning(all_installed, tmp_path):
    installed(tmp_path / "site", "executorch", "99.0")
    found = packages.check_extra("phone", packages.declared())
    assert found.status == "WARN" and "executorch 99.0 is newer" in found.seen


def test_the_runtime_of_the_page_is_judged_as_the_page_does(tmp_path):
    pinned = json.loads((places.BROWSER_RUNTIME / "package.json").read_text())[
        "dependencies"
    ]
    text = json.dumps({"dependencies": pinned})
    (tmp_path / "package.json").write_text(text)
    found = jupyter.check_browser(tmp_path)
    assert found.status == "OK" and "fetch-browser" in found.seen
    for package, names in browser._PACKAGES.items():
        for name in names:
            path = tmp_path / "node_modules" / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        about = tmp_path / "node_modules" / package / "package.json"
        about.write_text(json.dumps({"version": pinned[package]}))
    assert browser.runtime_files(tmp_path)
    for package, version in pinned.items():
        assert f"{package} {version}" in jupyter.check_browser(tmp_path).seen
    about.write_text('{"version": "0.0.1"}')
    assert jupyter.check_browser(tmp_path).status == "WARN"
    with pytest.raises(browser.RuntimeMissingError):
        browser.runtime_files(tmp_path)


# -------------------------------------------------------------------- output
FINDINGS = [
    report.Finding("Python", "OK", "3.12"),
    report.Finding("cores", "WARN", "one", "Wait. " * 30),
    report.Finding("data", "FAIL", "/a/long/path" * 20 + "\nis gone", "Copy it."),
]


def test_the_table_fits_80_columns_and_says_the_status_in_words():
    lines = report.as_text(FINDINGS).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        "OK",
        "WARN",
        "FAIL",
        "1",
    ]
    assert lines[-1] == "1 OK, 1 WARN, 1 FAIL"
    (fault,) = [line for line in lines if line.startswith("FAIL")]
    assert "..." in fault and fault.endswith("is gone")
    assert lines[lines.index(fault) + 1] == "      Copy it."


def test_colour_is_only_added():
    plain, painted = report.as_text(FINDINGS), report.as_text(FINDINGS, colour=True)
    assert "\x1b" not in plain and "\x1b[31mFAIL\x1b[0m" in painted
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == plain


def test_a_notebook_gets_a_table():
    table = report.as_table(FINDINGS)
    assert list(table) == ["status", "name", "seen", "cure"]
    assert table["status"].tolist() == ["OK", "WARN", "FAIL"]
    assert list(report.as_table([])) == list(table)


def test_the_printed_call_is_plain_whatever_the_folder_is_called(tmp_path):
    folder = tmp_path / "löss \u4e00"
    folder.mkdir()
    (folder / "runs").write_text("")
    done = call(folder, "doctor", PYTHONIOENCODING="ascii")
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith("FAIL  results folder") for line in lines)
    assert "1 FAIL in " in lines[-1]


# ---------------------------------------------------------- the command line
def test_the_commands_are_listed(capsys):
    assert command_line.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "doctor     check a machine" in told
    assert set(re.findall(r"^  (\w+) ", told, re.M)) == set(command_line.COMMANDS)
    for home, purpose in command_line.COMMANDS.values():
        module = __import__(f"distill_helpers.{home}", fromlist=["main"])
        assert callable(module.main) and purpose


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a command is missing"),
        (["docter"], "'docter'; did you mean 'doctor'?"),
        (["quantise"], "unknown command 'quantise'\n"),
    ],
)
def test_an_unknown_command_is_a_usage_error(tmp_path, words, message):
    done = call(tmp_path, *words)
    assert done.returncode == 2 and not done.stdout
    assert message in done.stderr and "doctor" in done.stderr


def test_an_unknown_option_of_the_doctor_is_a_usage_error(tmp_path):
    done = call(tmp_path, "doctor", "--jason")
    assert done.returncode == 2
    assert "unrecognized arguments: --jason; did you mean '--json'?" in done.stderr


def test_without_packages_a_command_says_so_and_points_to_the_doctor(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-m", "distill_helpers", "lessons"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "No module named" in done.stderr and "doctor" in done.stderr


def test_without_packages_the_doctor_still_comes(tmp_path):
    """With the standard library alone, each check says what it misses."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "distill_helpers", "doctor", "--json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    found = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and set(found) == set(examination.CHECKS)
    assert found["data"]["status"] == found["results folder"]["status"] == "OK"
    assert "packaging" in found["packages"]["seen"]
    assert all(f["cure"] for f in found.values() if f["status"] == "FAIL")


@pytest.mark.parametrize("name", [n for n in command_line.COMMANDS])
def test_every_command_says_what_it_takes(name, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: distill-kit {name} ")
