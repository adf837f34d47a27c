from pathlib import Path

import pytest
from pydantic import ValidationError

from cleandesk.config import load
from cleandesk.contract.connection import BrokerSettings
from cleandesk_fleet.subscriber.settings import StillsSettings, StoreSettings, SubscriberSettings

GROUP = "a-name-that-nobody-guesses"
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


def test_several_subscribers_share_events_and_all_hear_what_boxes_say_of_themselves() -> None:
    settings = SubscriberSettings(
        schema=1,
        broker=BrokerSettings(),
        store={"url": "postgresql://cleandesk@db/log"},
        redundancy={"group": GROUP},
        sites=["berlin"],
    )
    wanted = settings.subscriptions()
    assert f"$share/{GROUP}/cleandesk/v1/berlin/+/violation" in wanted
    assert f"$share/{GROUP}/cleandesk/v1/berlin/+/still/+" in wanted
    assert "cleandesk/v1/berlin/+/health" in wanted


def test_without_a_group_each_of_several_hears_everything_and_keeps_its_session() -> None:
    alone = SubscriberSettings(schema=1, broker=BrokerSettings())
    store = {"url": "postgresql://cleandesk@db/log"}
    several = SubscriberSettings(schema=1, broker=BrokerSettings(), store=store, redundancy={})
    assert several.subscriptions() == alone.subscriptions()
    assert several.group is None


def test_redundancy_needs_a_database_that_several_can_write() -> None:
    with pytest.raises(ValidationError, match=r"set 'store.url'"):
        SubscriberSettings(schema=1, broker=BrokerSettings(), redundancy={"group": GROUP})


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u@h/log", "write postgresql://"),
        ("log.db", "a file belongs to 'path'"),
        ("postgresql://u:secret@h/log", "a password does not belong here"),
        ("postgresql://u@h/log?password=secret", "a password does not belong here"),
    ],
)
def test_a_place_that_cannot_be_one_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        StoreSettings(url=url)
    assert "secret" not in str(refused.value.errors(include_input=False))
