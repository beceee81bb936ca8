"""Serve the caches with waitress.

    python -m web_api --root photos --root output
"""
import argparse
import logging
import sys

from cache import command_line

THREADS = 8


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m web_api", description="Serve the caches over HTTP, with pages for a browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; anything but loopback needs --token")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on; 0 is any free one")
    parser.add_argument("--root", action="append", metavar="FOLDER", help="a folder clients may name, repeatable; None is ITT_ROOT or here")
    parser.add_argument("--name", action="append", default=[], metavar="HOST", help="host name besides localhost, repeatable")
    parser.add_argument("--token", default=None, help="what clients must present: Authorization: Bearer <token>, or /login in a browser")
    arguments = command_line.parse(parser, argv)

    from cache.serving.guard import LONGEST_BODY, is_loopback

    if arguments.token == "":
        print("error: --token is empty, and so no token at all; name one", file=sys.stderr)
        return 2
    if arguments.token is None and not (is_loopback(arguments.host) or arguments.host == "localhost"):
        print(f"error: --host {arguments.host} is not loopback; name a --token, or anybody there could read and write", file=sys.stderr)
        return 2

    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news

    from cache.serving.roots import Roots
    from web_api.cache_web_api import create_app

    app = create_app(Roots(arguments.root) if arguments.root else None, arguments.token, arguments.name)
    try:
        server = waitress.create_server(app, host=arguments.host, port=arguments.port, threads=THREADS, ident=None,
                                        max_request_body_size=LONGEST_BODY)
    except OSError as error:
        print(f"error: cannot listen on {arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"serving on http://{arguments.host}:{server.effective_port}", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
