"""What is remembered from run to run, in one database: ownership, intents, history, people's words, and status."""
