"""Who somebody is, and what they may do: proofs of identity, roles, sessions and tokens. No HTTP in here."""
