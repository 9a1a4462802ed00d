"""The family `sql`: one schema, one way to run a unit of work, on SQLite now and MySQL or MariaDB later.

It owns engines, threads, transactions and the classes of failure; it never knows a table.
"""
