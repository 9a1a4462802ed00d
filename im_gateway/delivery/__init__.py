"""What others send: pushes for single connections, and the local part of large fan-out."""
