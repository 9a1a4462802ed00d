import hashlib

from im_infra.cache.redis.scripts import COMPARE_AND_SET, INCREMENT


def test_a_script_is_called_by_its_hash_and_taught_by_its_text() -> None:
    for script in (COMPARE_AND_SET, INCREMENT):
        digest = hashlib.sha1(script.text.encode()).hexdigest()
        assert script.by_digest(b"k", 1, b"v") == ("EVALSHA", digest, 1, b"k", 1, b"v")
        assert script.by_text(b"k", 1, b"v") == ("EVAL", script.text, 1, b"k", 1, b"v")
