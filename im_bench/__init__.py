"""The load tester: drives any gateway over the public protocol and proves that nothing was lost, doubled or disordered.

It owns schedules, its own light connections, the ledger of what was sent and seen, and the result. It is a client like
any other: it gets a URL and never looks into the server.
"""
