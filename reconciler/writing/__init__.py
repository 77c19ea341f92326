"""Turns a change of documents into a commit: edits the text that people wrote, checks the result, moves the branch."""
