from im_sdk._settings import CatchUp, SessionSettings


def test_the_defaults_are_the_protocols() -> None:
    settings = SessionSettings()
    assert settings.catch_up is CatchUp.ALL
    assert settings.pipeline == 1
    assert (settings.hold_min_s, settings.hold_max_s) == (0.4, 1.0)
    assert (settings.ping_interval_s, settings.silence_limit_s) == (45, 110)
    assert settings.light_sync_interval_s == 300
    assert settings.acknowledge_members == 200
