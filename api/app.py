"""The ASGI application: the resources of `api/resources/`, found by scanning, on one set of services."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import falcon.asgi

from api import resources
from api.errors import add_handlers
from api.services import Services


def create_app(services: Services) -> falcon.asgi.App[Any, Any]:
    """The application. A module of resources says in ROUTES which class answers for which URI template."""
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App()
    add_handlers(app)
    for module in sorted(pkgutil.iter_modules(resources.__path__), key=lambda found: found.name):
        routes = importlib.import_module(f"api.resources.{module.name}").ROUTES
        for template, resource in routes.items():
            app.add_route(template, resource(services))
    return app
