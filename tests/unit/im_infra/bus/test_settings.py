import pytest

from im_infra.bus.settings import BusSettings, KafkaSettings
from im_infra.settings import SettingsError, load


def test_a_record_is_tried_at_least_twice() -> None:
    """Once with the others and once alone: a batch cannot tell which of its records is poisonous."""
    with pytest.raises(SettingsError, match="max_tries"):
        load(BusSettings, toml=None, environment={"IM_MAX_TRIES": "1"})


@pytest.mark.parametrize(
    "contradiction",
    [
        {"IM_REPLICATION_FACTOR": "1"},
        {"IM_TLS__CERTIFICATE": "/etc/im/task.pem"},
        {"IM_SASL__MECHANISM": "SCRAM-SHA-256", "IM_SASL__USERNAME": "im"},
    ],
)
def test_what_cannot_work_is_refused(contradiction: dict[str, str]) -> None:
    """Fewer copies than must be written, a certificate without its key, a name without a password."""
    with pytest.raises(SettingsError):
        load(KafkaSettings, toml=None, environment=contradiction)


def test_kafka_is_safe_by_default() -> None:
    settings = KafkaSettings()
    assert (settings.replication_factor, settings.min_insync_replicas) == (3, 2)
