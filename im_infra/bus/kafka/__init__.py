"""The distributed member of the family: topics in Kafka.

It owns what Kafka does not do by itself: a bounded `publish`, several tries, giving a record up that takes every process
with it, dead letters that go when they are redriven. Everything it must remember lies in Kafka.

    `bus.KafkaBus`          the promise, over the parts below
    `producing.Producer`    records on their way to the brokers, and whether these can be reached
    `group.GroupConsumer`   our share of a topic's partitions, as Kafka assigns it
    `partition.Partition`   one partition: its records handed out in order
    `offsets.Offsets`       how far each partition took effect, and how often what comes next was begun
    `dead_letters`          the topic `im.dlq`
    `topics`                making topics
"""
