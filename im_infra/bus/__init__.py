"""The family `bus`: topics of records, keyed, consumed at least once by groups.

The promise is `abstract.Bus`. It owns delivery, retries and dead letters; it never knows what a record means.

Members, chosen by `open_bus`:
    `embedded.EmbeddedBus`: `im.fanout` from hand to hand in memory (its guard is the outbox), everything else in the
    cluster's database. One group a topic.
"""
