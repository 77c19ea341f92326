"""/host/repositories: where packages come from."""
