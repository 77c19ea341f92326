"""Requests that nobody would write, by everybody who may ask: what they get back, and what is left behind."""
