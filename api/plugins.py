"""Lets the resources of plugins answer, each plugin's whole or not at all: none can keep the API from starting."""

from __future__ import annotations

import logging
from typing import Any

import falcon.asgi

from api.services import Services
from reconciler.host.plugins import Plugin

log = logging.getLogger("onggi.plugins")


def add_plugins(app: falcon.asgi.App[Any, Any], services: Services) -> None:
    """Route what the plugins bring; what goes wrong with one is told in `services.plugin_errors`."""
    for plugin in services.plugins.active:
        try:
            resources = _made(plugin, services)
        except (Exception, SystemExit) as error:  # whatever a stranger's code does when it is called
            sentence = f"The plugin {plugin.name!r} isn't served: {type(error).__name__}; update it or switch it off."
            log.warning("%s", sentence, exc_info=error)
            services.plugin_errors[plugin.name] = sentence
            continue
        for template, resource in resources.items():
            app.add_route(template, resource)


def _made(plugin: Plugin, services: Services) -> dict[str, Any]:
    """Its resources by their addresses. Raises whatever they raise, and what falcon finds wrong with them."""
    made = {template: resource(services) for template, resource in plugin.routes.items()}
    trial: falcon.asgi.App[Any, Any] = falcon.asgi.App()
    for template, resource in made.items():
        trial.add_route(template, resource)
    return made
