"""Requests of the tests: what is answered, and what is refused."""

# What Chromium accepts for an <img>, and for an address that a person opens.
IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def answer(client, path: str, method: str = "get", **options) -> tuple[int, object]:
    response = getattr(client, method)(path, **options)
    return response.status_code, response.get_json()


def error(client, path: str, method: str = "get", **options) -> tuple[int, str, str]:
    status, body = answer(client, path, method, **options)
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message"]
    return status, body["error"]["code"], body["error"]["message"]
