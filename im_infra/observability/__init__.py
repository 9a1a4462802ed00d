"""Logs, metrics and traces: how a process tells what it does.

It owns formats and names; it never decides anything, and nothing waits for it.
"""
