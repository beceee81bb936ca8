"""Who may ask what: loopback or a token, known host names, no changes on behalf of another site, bounded requests, safe headers."""
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
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy":
        "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask, token: str | None, names: Collection[str]) -> None:
    """names: host names besides localhost under which the server may be asked."""
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    allowed_names = LOOPBACK_NAMES | {name.lower() for name in names}

    @app.before_request
    def refuse_strangers() -> None:
        if (request.content_length or 0) > LONGEST_BODY:
            raise ApiError(413, "body_too_long", f"the body is longer than {LONGEST_BODY} bytes")
        if len(request.query_string) > LONGEST_QUERY:
            raise ApiError(414, "query_too_long", f"the query is longer than {LONGEST_QUERY} bytes")
        if host_name(request.host) not in allowed_names:
            raise ApiError(403, "unknown_host", "the server is not known under this host name; name it with --name")
        if request.endpoint not in OPEN_TO_ALL and not _may_enter(request, token):
            raise ApiError(403, "no_token", "a token is needed: Authorization: Bearer <token>, or /login")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response


def refuse_other_sites() -> None:
    """For requests that change something: a browser must not be talked into them by another site, and HEAD is only a look."""
    if request.method == "HEAD":
        raise ApiError(405, "method_not_allowed", "HEAD never changes anything; use GET or POST")
    site = request.headers.get("Sec-Fetch-Site")
    # Browsers send Sec-Fetch-Site only where they trust the connection, hence the Referer.
    named = [request.headers[name] for name in ("Origin", "Referer") if name in request.headers]
    if site not in (None, "same-origin", "none") or any(_netloc(address) != request.host for address in named):
        raise ApiError(403, "cross_site", "another site may not change anything here")


def _netloc(address: str) -> str | None:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def matches(given: str, token: str) -> bool:
    return bool(given) and hmac.compare_digest(given.encode(), token.encode())


def host_name(host: str) -> str:
    """Without the port: "[::1]:5000" -> "[::1]"."""
    return (host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host).lower()


def is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _may_enter(asked: Request, token: str | None) -> bool:
    if token is None:
        return is_loopback(asked.remote_addr)
    kind, _, given = asked.headers.get("Authorization", "").partition(" ")
    return kind == "Bearer" and matches(given, token) or matches(asked.cookies.get(COOKIE, ""), token)
