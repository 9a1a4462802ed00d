"""From Hello to the end of a connection: opening, commands, refresh, revocation."""
