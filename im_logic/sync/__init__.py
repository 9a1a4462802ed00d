"""Catching up after being away: account events, heads that moved, and what is on screen."""
