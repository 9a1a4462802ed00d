"""Claims in the cache."""

from im_logic.accounts.claims import Claims


def test_claims_come_out_of_the_cache_as_they_went_in() -> None:
    claims = Claims(
        user_id=2**62, session_id=3, generation=4, user_kind=1, device_id="device-01", device_class=2, expire_time=5
    )
    assert Claims.unpacked(claims.packed()) == claims
