"""/plugins: what was installed beside onggi to add to it. What a plugin itself answers lies below /plugins/NAME."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import ANYBODY, OURS, Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import arr, boolean, obj, text
from reconciler.identity.role import Role
from specs.plain import NewJson

_FIELDS: Final = {
    "name": text("Its name."),
    "version": text("The version of its package; empty when it doesn't say."),
    "active": boolean("Whether it adds what it has."),
    "error": text("Why it can't be used; empty when it can."),
}
PLUGIN: Final = obj(_FIELDS, required=tuple(_FIELDS), title="Plugin")


class Plugins(Resource):
    """All that aren't switched off."""

    address = "/plugins"
    tag = "Plugins"

    @get(
        "The names of the plugins that aren't switched off, those that can't be loaded included.",
        arr(text()),
        role=ANYBODY,
    )
    def read(self, _call: Call) -> list[str]:
        """As they were found when the agent started."""
        return [plugin.name for plugin in self.services.plugins.found.all if not plugin.disabled]


class Plugin(Resource):
    """One of them."""

    address = "/plugins/{name}"
    tag = "Plugins"
    since = OURS

    @get("A plugin, and why it can't be used if so.", PLUGIN, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """Also one that is switched off."""
        for plugin in self.services.plugins.found.all:
            if plugin.name == name:
                error = self.services.plugins.errors.get(name, plugin.error)
                active = plugin.active and not error
                return {"name": plugin.name, "version": plugin.version, "active": active, "error": error}
        raise not_found("", f"The plugin {name}")
