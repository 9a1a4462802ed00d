"""The data: the only service that speaks SQL.

It owns the schema, the append of messages under the conversation's lock, ranges, members, cursors, account events and
the outbox. It never decides who may do what: it evaluates the guards that logic words.
"""
