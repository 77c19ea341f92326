"""From a host that others made to documents: observed → drafts → documents whose plan is empty → YAML files."""
