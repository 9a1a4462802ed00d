"""What survives a restart of the application: cursors, messages, and what was not sent yet, in one SQLite file."""
