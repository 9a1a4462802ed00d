"""The load itself: when a message is due, who sends it, what it says."""
