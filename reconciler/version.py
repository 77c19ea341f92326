"""The version, as in pyproject.toml (a test compares them): asking the installed package takes longer than the verb."""

VERSION = "0.1.0"
