"""A plugin of onggi: a few resources and one kind of document."""

from onggi_example_plugin.contacts import Contact, Contacts
from onggi_example_plugin.greeting import Greeting

ROUTES = {each.address: each for each in (Contact, Contacts, Greeting)}
KINDS = ("onggi_example_plugin.contact",)
