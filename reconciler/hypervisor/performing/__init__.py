"""Performs the operations of a plan, one at a time; each is safe to perform twice."""
