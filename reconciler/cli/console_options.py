"""The options that say how machines' consoles are offered through the API."""

from __future__ import annotations

import click

from reconciler.cli.declaring import setting
from reconciler.settings.settings import MOST_CONSOLES

most_consoles = setting(
    "--most-consoles",
    key_type=int,
    type=click.IntRange(1, MOST_CONSOLES),
    show_default=True,
    metavar="NUMBER",
    help="How many screens and serial lines of machines may be open through the API at once.",
)

CONSOLES = (most_consoles,)
