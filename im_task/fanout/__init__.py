"""Fan-out of large groups and of the world room: one frame per interested gateway, whatever the number of members."""
