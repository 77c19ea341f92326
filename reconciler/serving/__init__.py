"""What a client may ask of a running agent: what it found, changes of documents, operations, long tasks."""
