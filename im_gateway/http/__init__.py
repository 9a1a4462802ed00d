"""The HTTP API: what a client does once. The same operations of logic as over the socket, in JSON."""
