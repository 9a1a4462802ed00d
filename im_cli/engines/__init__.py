"""The engines of a distributed cluster, started on loopback: for a cluster on one machine and for the tests.

It owns how each server is installed, configured and started in a folder; it never holds anything of the product. Beyond one
machine operators bring their own engines, and nothing here is used.

One file an engine, each with a function that gives an `engine.Engine`, and the `engine.Requirement` it has.
"""
