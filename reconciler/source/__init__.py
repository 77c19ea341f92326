"""From a location to a source tree: git repositories here and elsewhere, plain folders, and who may write them."""
