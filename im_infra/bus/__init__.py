"""The family `bus`: topics of records, keyed, consumed at least once by groups.

It owns delivery, retries and dead letters; it never knows what a record means.
"""
