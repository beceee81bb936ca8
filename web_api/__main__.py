"""Serve the caches with waitress.

    python -m web_api --root photos --root output
"""
import argparse
import sys

from cache.command_line import parse, positive


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m web_api", description="Serve the caches over HTTP, with pages for a browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; anything but loopback needs --token")
    parser.add_argument("--port", type=positive, default=5000, help="port to listen on")
    parser.add_argument("--root", action="append", metavar="FOLDER", help="a folder clients may name, repeatable; None is ITT_ROOT or here")
    parser.add_argument("--name", action="append", default=[], metavar="HOST", help="host name besides localhost, repeatable")
    parser.add_argument("--token", default=None, help="what clients must present: Authorization: Bearer <token>, or /login in a browser")
    arguments = parse(parser, argv)

    from web_api.guard import is_loopback

    if arguments.token is None and not (is_loopback(arguments.host) or arguments.host == "localhost"):
        print(f"error: --host {arguments.host} is not loopback; name a --token, or anybody there could read and write", file=sys.stderr)
        return 2

    import waitress

    from web_api.cache_web_api import create_app
    from web_api.roots import Roots

    app = create_app(Roots(arguments.root) if arguments.root else None, arguments.token, arguments.name)
    print(f"serving on http://{arguments.host}:{arguments.port}", flush=True)
    waitress.serve(app, host=arguments.host, port=arguments.port, threads=8, ident=None)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
