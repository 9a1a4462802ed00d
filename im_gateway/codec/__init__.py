"""Frames and bytes: the two subprotocols.

Frames travel opaque: what comes from logic is put into a WebSocket message without being parsed, and only a JSON
connection makes us look inside.
"""
