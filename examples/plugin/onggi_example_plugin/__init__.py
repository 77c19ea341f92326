"""A plugin of onggi: one resource and one kind of document."""

from onggi_example_plugin.greeting import Greeting

ROUTES = {"/plugins/example/greeting": Greeting}
KINDS = ("onggi_example_plugin.contact",)
