"""Calls that take long: jobs that are waited for, watched and cancelled."""
import threading

from tests.cache.test_caches import FILES
from tests.web_api.asking import answer, error
from web_api import jobs


def test_a_long_job_is_answered_with_202_watched_and_cancelled(client, here, monkeypatch):
    monkeypatch.setattr("web_api.cache_views.PATIENCE_SECONDS", 0)
    reached, go_on = threading.Event(), threading.Event()
    add = jobs.Job.add

    def slow(self, batch):
        reached.set()
        go_on.wait()
        add(self, batch)

    monkeypatch.setattr(jobs.Job, "add", slow)
    status, job = answer(client, "/add_folder_to_file_cache?data_dir=photos")
    assert (status, job["job"]) == (202, f"/jobs/{job['id']}")
    reached.wait()
    assert answer(client, job["job"])[1]["state"] == "running"
    for spelling in (FILES, "output/file_cache.sqlite", str(here / "output" / "file_cache.sqlite")):
        assert error(client, f"/clear_file_cache?db_path={spelling}&delete_cache=true")[:2] == (409, "busy")
    assert answer(client, job["job"], "delete")[0] == 200
    go_on.set()
    while answer(client, job["job"])[1]["state"] == "running":
        pass
    assert answer(client, job["job"])[1]["state"] == "cancelled"
    assert answer(client, job["job"])[1]["progress"] == {"processed": 12, "unchanged": 0, "skipped": 0}


def test_while_four_clients_wait_the_next_is_answered_at_once(client, monkeypatch):
    """The server has eight threads: adding folders must leave some for look-ups, and for cancelling."""
    monkeypatch.setattr("web_api.cache_views.PATIENCE_SECONDS", 60)
    go_on, add = threading.Event(), jobs.Job.add
    monkeypatch.setattr(jobs.Job, "add", lambda self, batch: go_on.wait() and add(self, batch))
    clients = [client.application.test_client() for _ in range(4)]
    call = "/add_folder_to_file_cache?data_dir=photos"
    waiting = [threading.Thread(target=patient.get, args=(call,)) for patient in clients]
    seats = client.application.view_functions["job"].__self__._seats
    for thread in waiting:
        thread.start()
    while seats._value:
        pass
    assert answer(client, "/add_folder_to_file_cache?data_dir=photos")[0] == 202
    assert error(client, "/add_folder_to_file_cache?data_dir=photos&wait=true")[:2] == (409, "busy")
    go_on.set()
    for thread in waiting:
        thread.join()
