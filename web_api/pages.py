"""What a person opens in a browser: the caches, their pictures, tags and score bins. Plain HTML, no script, no build step."""
import os

from flask import Flask, redirect, render_template, request

from cache.refusal import Refused
from cache.serving import guard
from cache.serving.api_error import ApiError
from cache.serving.pictures import any_table
from cache.serving.roots import Roots
from cache.stores.databases import databases
from cache.stores.file_table import FileTable
from cache.stores.score_table import ScoreTable
from cache.stores.sqlite_errors import DatabaseError
from cache.stores.surroundings import Surroundings
from cache.stores.tag_table import TagTable
from web_api.endpoints import Endpoint

PAGE_SIZE = 60


class Pages:
    """Each method is a page; its arguments are those of the query."""

    def __init__(self, roots: Roots):
        self._roots = roots

    def caches(self) -> str:
        found = []
        for root in self._roots.folders:
            for path, kind in databases(str(root)):
                try:
                    found.append({"path": os.path.relpath(path), "kind": kind, "facts": _facts(path)})
                except (Refused, DatabaseError):
                    continue  # deleted since it was listed, or not what its header says
        return render_template("caches.html", caches=found, roots=self._roots.folders, views=VIEW_OF)

    def files(self, db_path: str, after: int = 0) -> str:
        with FileTable(db_path) as table, Surroundings(db_path) as around:
            rows = table.page(after, PAGE_SIZE + 1)
            pictures = [{**row, "tags": around.tags(row["hash_id"])} for row in rows[:PAGE_SIZE]]
            facts = table.counts()
        return render_template("files.html", db_path=db_path, pictures=pictures, facts=facts, more=len(rows) > PAGE_SIZE)

    def tags(self, db_path: str) -> str:
        with TagTable(db_path) as table:
            return render_template("tags.html", db_path=db_path, tags=table.counts())

    def tag(self, db_path: str, tag: str, after: int = 0) -> str:
        with TagTable(db_path) as table:
            rows = table.page(tag, after, PAGE_SIZE + 1)
        return render_template("tag.html", db_path=db_path, tag=tag, pictures=rows[:PAGE_SIZE], more=len(rows) > PAGE_SIZE)

    def picture(self, hash_id: str, db_path: str) -> str:
        with any_table(db_path) as table, Surroundings(db_path) as around:
            path = table.absolute_path(hash_id)
            if path is None:
                raise ApiError(404, "not_found", "no image with this hash")
            row = table.image(hash_id) if isinstance(table, FileTable) else {"hash_id": hash_id, "path": path}
            return render_template(
                "picture.html", db_path=db_path, picture=row, tags=around.tags(hash_id), scores=around.scores(hash_id),
                neighbours=around.neighbours(hash_id), files=around.path_of(FileTable) or db_path, tag_cache=around.path_of(TagTable),
            )

    def bins(self, db_path: str, tag: str = "", model_type: str = "") -> str:
        with any_table(db_path) as table:
            if not isinstance(table, ScoreTable):
                raise Refused(f"{db_path} holds no scores")
            classifiers = table.classifiers()
            tag, model_type = (tag, model_type) if tag else next(iter(classifiers), ("", ""))
            return render_template("bins.html", db_path=db_path, tag=tag, model_type=model_type, classifiers=classifiers,
                                   bins=table.bins(tag, model_type))


def _facts(path: str) -> dict[str, int]:
    with any_table(path) as table:
        return table.counts() if isinstance(table, (FileTable, TagTable)) else {"rows": table.row_count()}


# The page on which a person looks at a database, by the name of its table.
VIEW_OF = {"file_cache": "files", "tag_cache": "tags", "stage3": "bins", "stage4": "bins", "zip_score_cache": "bins"}

RULES = {"caches": "/", "files": "/files", "tags": "/tags", "tag": "/tag", "bins": "/bins", "picture": "/picture/<hash_id>"}


def install(app: Flask, roots: Roots, token: str | None) -> None:
    pages = Pages(roots)

    def view(name: str):
        endpoint = Endpoint(name, getattr(pages, name), "get", "")
        return lambda **path: endpoint.call(**endpoint.bind({**request.args, **path}, roots))

    for name, rule in RULES.items():
        app.add_url_rule(rule, name, view(name))

    @app.route("/login", methods=["GET", "POST"])
    def login():
        if request.method == "GET":
            return render_template("login.html")
        guard.refuse_other_sites()
        if token is None or not guard.matches(request.form.get("token", ""), token):
            raise ApiError(403, "wrong_token", "that is not the token")
        answer = redirect("/")
        answer.set_cookie(guard.COOKIE, token, httponly=True, samesite="Strict")
        return answer
