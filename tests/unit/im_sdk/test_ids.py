import random
import uuid

from im_sdk._ids import uuid7


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    text = uuid7(1_795_264_272_123, random.Random(1))
    made = uuid.UUID(text)
    assert str(made) == text
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_795_264_272_123


def test_ids_differ() -> None:
    source = random.Random(1)
    assert len({uuid7(1, source) for _ in range(1_000)}) == 1_000
