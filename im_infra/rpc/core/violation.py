"""What no honest peer does."""


class ProtocolViolationError(Exception):
    """The peer broke the stream's rules; the stream cannot go on."""
