"""Reads a host into a snapshot: bulk calls for everything, single ones for what an event or a step has marked."""
