"""What was sent, acked and seen, and what that proves. Rules only: nothing here knows a socket or a clock."""
