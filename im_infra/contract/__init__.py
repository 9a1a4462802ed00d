"""Translations within the contract that more than one service needs; no I/O and no decision."""
