"""Long calls run in the background: started, waited for, watched, cancelled."""
import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cache.reader.batches import Batch, Counts
from cache.refusal import Refused
from cache.serving.api_error import ApiError

AT_ONCE = 2
MOST_WAITING = 50
KEPT = 200


class Cancelled(Exception):
    """Raised inside a job between two batches; what was stored before stays."""


class Job:
    """One call. As a store of batches.record() it counts what passes, and stops the stream when cancelled."""

    def __init__(self, name: str, db_path: str):
        self.id, self.name, self.db_path = uuid.uuid4().hex, name, db_path
        self.state = "waiting"
        self.result: dict | None = None
        self.error: Exception | None = None
        self.counts = Counts()
        self._cancelled, self._finished = threading.Event(), threading.Event()

    def add(self, batch: Batch) -> None:
        self.counts.add(batch)
        if self._cancelled.is_set():
            raise Cancelled

    def run(self, call: Callable[["Job"], dict]) -> None:
        try:
            if self._cancelled.is_set():
                raise Cancelled
            self.state = "running"
            self.result = call(self)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except Refused as refusal:
            self.error, self.state = refusal, "failed"
        except Exception as error:
            self.error, self.state = error, "failed"
            raise
        finally:
            self._finished.set()

    def wait(self, seconds: float | None) -> bool:
        return self._finished.wait(seconds)

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def active(self) -> bool:
        return not self._finished.is_set()

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "call": self.name,
            "db_path": self.db_path,
            "state": self.state,
            "progress": self.counts.as_dict(),
            "result": self.result,
            "error": str(self.error) if self.error else None,
        }


class Jobs:
    def __init__(self):
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="job")

    def start(self, name: str, db_path: str, call: Callable[[Job], dict]) -> Job:
        job = Job(name, db_path)
        with self._lock:
            if sum(known.active for known in self._jobs.values()) >= MOST_WAITING:
                raise ApiError(409, "busy", f"{MOST_WAITING} jobs are waiting already; try again later")
            self._jobs[job.id] = job
            self._forget_oldest()
        self._threads.submit(job.run, call)
        return job

    def get(self, job_id: str) -> Job:
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise ApiError(404, "not_found", f"no such job: {job_id}")
        return job

    def busy_with(self, db_path: str) -> bool:
        with self._lock:
            busy = {os.path.realpath(job.db_path) for job in self._jobs.values() if job.active}
        return os.path.realpath(db_path) in busy

    def _forget_oldest(self) -> None:
        finished = [job for job in self._jobs.values() if not job.active]
        for job in finished[:max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job.id]
