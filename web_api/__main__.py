"""Serve the caches with waitress.

    python -m web_api --root photos --root output
"""
import argparse
import logging
import sys
from collections.abc import Sequence

from cache import command_line

THREADS = 8
HIGHEST_PORT = 65535


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Serve until interrupted; returns the exit code. prog: the door that led here, as the help names it."""
    arguments = _parser(prog or "python -m web_api").parse_args(argv)
    refusal = _refusal(arguments)
    return _serve(arguments) if refusal is None else _refused(refusal)


def _parser(prog: str) -> argparse.ArgumentParser:
    description = "Serve the caches over HTTP, with pages for a browser."
    parser = command_line.new_parser(description, f"{prog} --root photos --root output", prog=prog)
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="address to listen on; anything but loopback needs --token")
    parser.add_argument(
        "--port", type=_port, default=5000, metavar="N",
        help="port to listen on; 0 is any free one")
    parser.add_argument(
        "--root", action="append", metavar="FOLDER",
        help="a folder clients may name, repeatable; None is ITT_ROOT or here")
    parser.add_argument(
        "--name", action="append", default=[], metavar="HOST",
        help="host name besides localhost, repeatable")
    parser.add_argument(
        "--token", default=None,
        help="what clients must present: Authorization: Bearer <token>, or /login in a browser")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {HIGHEST_PORT}")
    return int(text)


def _refusal(arguments: argparse.Namespace) -> str | None:
    """Why a server as it is asked for would be open to strangers, or of no use."""
    from cache.serving.guard import is_loopback  # flask with it: --help does without

    if arguments.token == "":
        return "--token is empty, and so no token at all; name one"
    loopback = is_loopback(arguments.host) or arguments.host == "localhost"
    if arguments.token is None and not loopback:
        danger = "anybody there could read and write"
        return f"--host {arguments.host} is not loopback; name a --token, or {danger}"
    return None


def _serve(arguments: argparse.Namespace) -> int:
    import waitress

    from cache.serving.guard import LONGEST_BODY
    from cache.serving.roots import Roots
    from web_api.cache_web_api import create_app

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news
    app = create_app(Roots(arguments.root) if arguments.root else None, arguments.token, arguments.name)
    try:
        server = waitress.create_server(
            app, host=arguments.host, port=arguments.port, threads=THREADS, ident=None,
            max_request_body_size=LONGEST_BODY)
    except OSError as error:
        return _refused(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror}")
    print(f"serving on http://{arguments.host}:{server.effective_port}", flush=True)
    server.run()
    return 0


def _refused(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
