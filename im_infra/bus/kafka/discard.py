"""Dropping records that must not take effect any more."""

import asyncio
from typing import Final

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from im_infra.bus.abstract import FANOUT_TOPIC
from im_infra.bus.kafka.connection import FAILURES, Connection, unavailable
from im_infra.bus.kafka.topics import Topics
from im_infra.bus.settings import KafkaSettings

_DEADLINE_S: Final = 15.0
_LOOK_S: Final = 0.1


async def discard_fanout(settings: KafkaSettings) -> bool:
    """Delete the topic `im.fanout`, whose records name entries that a restored database does not have; False: there is none.

    Whoever publishes next makes it anew. Nothing may consume it meanwhile.

    Raises:
        ImError: UNAVAILABLE: no broker answers, or they refuse.
        OSError: a certificate cannot be read.
    """
    connection = Connection(settings, "rewind")
    name = Topics(connection, settings).name(FANOUT_TOPIC)
    try:
        async with asyncio.timeout(_DEADLINE_S), connection.admin() as admin:
            answer = await admin.delete_topics([name])
            for _name, code, *_words in answer.topic_error_codes:
                error = for_code(code)
                if error is UnknownTopicOrPartitionError:
                    return False
                if code:
                    raise KafkaError(f"{name} was not deleted: {error.__name__}")
            while not (await admin.describe_topics([name]))[0]["error_code"]:  # noqa: ASYNC110 - their event
                await asyncio.sleep(_LOOK_S)
    except FAILURES as error:
        raise unavailable(await connection.why_not() or error) from error
    return True
