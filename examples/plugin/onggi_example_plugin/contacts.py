"""/plugins/example/contacts: whom to call, as the repository's documents of the kind Contact say."""

from __future__ import annotations

from typing import Any

from onggi.plugin import Call, Refusal, Resource, Role, arr, documents, get, obj, text

CONTACT = obj(
    {"name": text("Of what."), "email": text("Where to write to.", examples=["ops@example.org"])},
    required=("name", "email"),
    title="Contact",
)


class Contacts(Resource):
    """What the repository declares is read from memory too."""

    address = "/plugins/example/contacts"

    @get("All contacts.", arr(CONTACT), role=Role.VIEWER)
    def read(self, _call: Call) -> list[dict[str, Any]]:
        """By name."""
        return [{"name": name, "email": spec["email"]} for name, spec in sorted(documents(self, "Contact").items())]


class Contact(Resource):
    """A part of the address in braces is handed to the method."""

    address = "/plugins/example/contacts/{name}"

    @get("One contact.", CONTACT, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> dict[str, Any]:
        """What a plugin refuses it says as the API does."""
        found = documents(self, "Contact").get(name)
        if found is None:
            raise Refusal(404, f"The contact {name} doesn't exist.")
        return {"name": name, "email": found["email"]}
