"""`im doctor`: looking at what would go wrong, and saying what to do about it.

`machine` looks at this host, `embedded` at a data folder, `cluster` at what a process needs to be one of several, `schema`
at a server's database; engines are looked at by the families that speak to them. `command` is what a person types.
"""
