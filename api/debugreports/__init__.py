"""/debugreports: archives of what `sos` collects about the host."""
