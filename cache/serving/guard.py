"""Who may ask what: loopback or a token, known host names, bounded requests, nothing for other sites."""
import hmac
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

from cache.serving.api_error import ApiError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
LONGEST_QUERY, LONGEST_BODY = 16 * 1024, 1024 * 1024
COOKIE = "itt_token"
OPEN_TO_ALL = ("healthz", "login", "static")
READING_METHODS = ("GET", "HEAD", "OPTIONS")

POLICY = {
    "default-src": "'none'",
    "img-src": "'self'",
    "style-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# Pages of a blueprint may work by script: files of the server, never what stands in the page.
POLICY_WITH_SCRIPTS = {**POLICY, "img-src": "'self' blob:", "script-src": "'self'", "connect-src": "'self'"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # no-referrer makes browsers send our own forms as from "null"
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask, token: str | None, names: Collection[str]) -> None:
    """names: host names besides localhost under which the server may be asked."""
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    allowed_names = LOOPBACK_NAMES | {name.lower() for name in names}

    @app.before_request
    def refuse_strangers() -> None:
        _refuse_long_requests(request)
        if host_name(request.host) not in allowed_names:
            message = "the server is not known under this host name; name it with --name"
            raise ApiError(403, "unknown_host", message)
        if request.endpoint not in OPEN_TO_ALL and not _may_enter(request, token):
            raise ApiError(403, "no_token", "a token is needed: Authorization: Bearer <token>, or /login")
        if request.blueprint and request.method not in READING_METHODS:
            refuse_other_sites()

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        policy = POLICY_WITH_SCRIPTS if request.blueprint else POLICY
        rules = [f"{name} {value}" for name, value in policy.items()]
        response.headers["Content-Security-Policy"] = "; ".join(rules)
        return response


def refuse_other_sites() -> None:
    """For requests that change something: a browser must not be talked into them by another site, and HEAD
    is only a look. The guard itself asks it of all requests to a blueprint that are no GET."""
    if request.method == "HEAD":
        raise ApiError(405, "method_not_allowed", "HEAD never changes anything; use GET or POST")
    site = request.headers.get("Sec-Fetch-Site")
    # Browsers send Sec-Fetch-Site only where they trust the connection, hence the Referer.
    senders = [request.headers[name] for name in ("Origin", "Referer") if name in request.headers]
    foreign = any(_netloc(address) != request.host for address in senders)
    if foreign or site not in (None, "same-origin", "none"):
        raise ApiError(403, "cross_site", "another site may not change anything here")


def matches(given: str, token: str) -> bool:
    return bool(given) and hmac.compare_digest(given.encode(), token.encode())


def host_name(host: str) -> str:
    """Without the port: "[::1]:5000" -> "[::1]"."""
    if host.endswith("]") or ":" not in host:
        return host.lower()
    return host.rsplit(":", 1)[0].lower()


def is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _refuse_long_requests(asked: Request) -> None:
    if (asked.content_length or 0) > LONGEST_BODY:
        raise ApiError(413, "body_too_long", f"the body is longer than {LONGEST_BODY} bytes")
    if len(asked.query_string) > LONGEST_QUERY:
        raise ApiError(414, "query_too_long", f"the query is longer than {LONGEST_QUERY} bytes")


def _may_enter(asked: Request, token: str | None) -> bool:
    if token is None:
        return is_loopback(asked.remote_addr)
    kind, _, given = asked.headers.get("Authorization", "").partition(" ")
    by_header = kind == "Bearer" and matches(given, token)
    return by_header or matches(asked.cookies.get(COOKIE, ""), token)


def _netloc(address: str) -> str | None:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None
