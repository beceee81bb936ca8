"""What a person opens in a browser: files, tags, score bins, one picture. Plain HTML, no script."""
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flask import Flask, redirect, render_template, request
from werkzeug import Response

from cache.refusal import Refused
from cache.serving import guard
from cache.serving.api_error import ApiError
from cache.serving.pictures import Pictures, any_table
from cache.serving.roots import Roots
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_table import Table
from cache.stores.surroundings import Surroundings
from cache.stores.table_of_files import TableOfFiles
from cache.stores.tag_table import TagTable
from cache.stores.whereabouts import status_on_disk
from cache.text import tag_name
from web_api.endpoints import Endpoint
from web_api.home import Home

TEMPLATES = Path(__file__).parent / "templates"
PAGE_SIZE = 60
NAMES = frozenset({"home", "files", "tags", "tag", "bins", "picture", "login"})


def files(db_path: str, after: int = 0) -> str:
    with FileTable(db_path) as table, Surroundings(db_path) as around:
        rows = table.page(after, PAGE_SIZE + 1)
        pictures = [{**row, "tags": around.tags(row["hash_id"])} for row in rows[:PAGE_SIZE]]
        facts = table.counts()
    return render_template(
        "files.html", db_path=db_path, pictures=pictures, facts=facts, more=len(rows) > PAGE_SIZE)


def tags(db_path: str) -> str:
    with TagTable(db_path) as table:
        return render_template("tags.html", db_path=db_path, tags=table.counts())


def tag(db_path: str, tag: str, after: int = 0) -> str:
    with TagTable(db_path) as table:
        # As it is first: an older database may hold a tag in another spelling.
        rows = table.page(tag, after, PAGE_SIZE + 1) or table.page(tag_name(tag), after, PAGE_SIZE + 1)
    return render_template(
        "tag.html", db_path=db_path, tag=tag, pictures=rows[:PAGE_SIZE], more=len(rows) > PAGE_SIZE)


def picture(pictures: Pictures, hash_id: str, db_path: str) -> str:
    with any_table(db_path) as table, Surroundings(db_path) as around:
        row = _facts(table, hash_id)
        return render_template(
            "picture.html", db_path=db_path, picture=row, problem=pictures.problem(hash_id, db_path),
            kept=pictures.is_kept(hash_id, db_path),
            tags=around.tags(hash_id), scores=around.scores(hash_id), neighbours=around.neighbours(hash_id),
            files=around.path_of(FileTable) or db_path, tag_cache=around.path_of(TagTable))


def _facts(table: Table, hash_id: str) -> dict:
    """Also of a picture that is gone: its page says so."""
    if isinstance(table, FileTable):
        facts = table.image(hash_id) or table.last_known(hash_id)
    else:
        places = list(table.places(hash_id)) if isinstance(table, TableOfFiles) else []
        there = next(filter(status_on_disk, places), None)
        facts = {"hash_id": hash_id, "path": there or places[0]} if places else None
    if facts is None:
        raise ApiError(404, "not_found", "no image with this hash")
    return facts


def bins(db_path: str, tag: str = "", model_type: str = "") -> str:
    with any_table(db_path) as table:
        if not isinstance(table, ScoreTable):
            raise Refused(f"{db_path} holds no scores")
        classifiers = table.classifiers()
        if not tag:
            tag, model_type = next(iter(classifiers), ("", ""))
        elif (tag, model_type) not in classifiers:
            tag = tag_name(tag)
        return render_template(
            "bins.html", db_path=db_path, tag=tag, model_type=model_type, classifiers=classifiers,
            bins=table.bins(tag, model_type))


def install(app: Flask, roots: Roots, pictures: Pictures, home: Home) -> None:
    """Each page is a function whose arguments are those of the query."""
    def view(name: str, page: Callable[..., str]) -> Callable[..., str]:
        endpoint = Endpoint(name, page, "get")
        return lambda **path: endpoint.call(**endpoint.bind({**request.args, **path}, roots))

    app.add_url_rule("/", "home", view("home", home.page))
    for page in (files, tags, tag, bins):
        app.add_url_rule(f"/{page.__name__}", page.__name__, view(page.__name__, page))
    app.add_url_rule("/picture/<hash_id>", "picture", view("picture", partial(picture, pictures)))


def add_login(app: Flask, token: str | None) -> None:
    @app.route("/login", methods=["GET", "POST"])
    def login() -> str | Response:
        if request.method == "GET":
            return render_template("login.html")
        guard.refuse_other_sites()
        if token is None or not guard.matches(request.form.get("token", ""), token):
            raise ApiError(403, "wrong_token", "that is not the token")
        answer = redirect("/")
        answer.set_cookie(guard.COOKIE, token, httponly=True, samesite="Strict")
        return answer
