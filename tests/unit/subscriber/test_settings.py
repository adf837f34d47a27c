from pathlib import Path

import pytest
from pydantic import ValidationError

from cleandesk.config import load
from cleandesk.contract.connection import BrokerSettings
from cleandesk_fleet.subscriber.settings import StillsSettings, SubscriberSettings

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "subscriber.yaml"


def test_the_example_shows_the_defaults() -> None:
    example = load(EXAMPLE, SubscriberSettings)
    default = SubscriberSettings(schema=1, broker=BrokerSettings())
    store = default.store.model_copy(update={"path": EXAMPLE.parent / default.store.path})
    assert example == default.model_copy(update={"store": store})


def test_all_sites_are_subscribed_by_default() -> None:
    settings = SubscriberSettings(schema=1, broker=BrokerSettings())
    assert settings.subscriptions() == [
        f"cleandesk/v1/+/+/{channel}"
        for channel in ("status", "health", "privacy", "violation", "appeal", "idle", "still/+")
    ]


def test_only_the_sites_that_are_named_are_subscribed() -> None:
    settings = SubscriberSettings(schema=1, broker=BrokerSettings(), sites=["s1", "s2"])
    assert len(settings.subscriptions()) == 14
    assert "cleandesk/v1/s2/+/violation" in settings.subscriptions()


@pytest.mark.parametrize("hours", [0, -1, 480.5])
def test_stills_are_kept_for_some_time_and_for_twenty_days_at_most(hours: float) -> None:
    with pytest.raises(ValidationError, match="keep_h"):
        StillsSettings(keep_h=hours)


@pytest.mark.parametrize("site", ["+", "#", "s1/b1", "S1", ""])
def test_a_site_is_a_name_and_no_filter(site: str) -> None:
    with pytest.raises(ValidationError, match="sites"):
        SubscriberSettings(schema=1, broker=BrokerSettings(), sites=[site])
