"""Groups: making, joining, leaving, removing and dissolving.

Every change is one log entry whose guards and effects repo evaluates under the conversation's lock. Nothing here
touches a member row itself.
"""
