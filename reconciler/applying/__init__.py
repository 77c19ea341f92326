"""From a plan to a changed world: the executor, and the ledger that remembers what was done."""
