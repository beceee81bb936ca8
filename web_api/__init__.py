"""A thin Flask app over the caches: a view is route + call + render. Start it with `python -m web_api`."""
