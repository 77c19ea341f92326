"""Lets the resources of plugins answer, each plugin's whole or not at all: none can keep the API from starting, or
spoil its documentation.
"""

from __future__ import annotations

import logging
from typing import Any

import falcon.asgi

from api.docs.page import page
from api.http.access import Access
from api.http.endpoint import NoRoleError, Resource
from api.http.openapi import openapi
from api.http.responder import add_resource, to_json
from api.services import Services
from reconciler.host.plugins import Plugin
from specs.plain import NewJson

log = logging.getLogger("onggi.plugins")


def add_plugins(app: falcon.asgi.App[Any, Any], services: Services, access: Access) -> None:
    """Route what the plugins bring; what goes wrong with one is told in `services.plugins.errors`."""
    for plugin in services.plugins.found.active:
        try:
            resources = _made(plugin, services)
        except (Exception, SystemExit) as error:  # whatever a stranger's code does when it is called
            why = str(error) if isinstance(error, NoRoleError) else type(error).__name__
            sentence = f"The plugin {plugin.name!r} isn't served: {why}; update it or switch it off."
            log.warning("%s", sentence, exc_info=error)
            services.plugins.errors[plugin.name] = sentence
            continue
        for template, resource in resources.items():
            _add(app, template, resource, access)
            services.plugins.routes[template] = type(resource)


def _made(plugin: Plugin, services: Services) -> NewJson:
    """Its resources by their addresses. Raises whatever they raise, and what is found wrong with them."""
    made = {template: resource(services) for template, resource in plugin.routes.items()}
    trial: falcon.asgi.App[Any, Any] = falcon.asgi.App()
    for template, resource in made.items():
        _add(trial, template, resource, Access())
    document = openapi((), "", {template: type(resource) for template, resource in made.items()})
    to_json(document)
    page(document)
    return made


def _add(app: falcon.asgi.App[Any, Any], template: str, resource: Any, access: Access) -> None:
    if not isinstance(resource, Resource):
        access.declare_plain(template, resource)
        app.add_route(template, resource)
    elif resource.address != template:
        raise ValueError(f"the resource for {template} says that its address is {resource.address!r}")
    else:
        add_resource(app, resource, access=access)
