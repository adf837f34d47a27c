"""The rules files that are written for the broker."""

import pytest

from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.roles import Operator, Role, rules


def test_each_listener_gets_its_own_people_only() -> None:
    everybody = [Operator("door", Role.ADMIN), Operator("anna", Role.OPS, "s1")]
    assert "user door" not in rules(everybody, Issuer.PEOPLE)
    assert "user anna" not in rules(everybody, Issuer.ADMINS)


def test_ops_and_control_are_bound_to_their_site() -> None:
    for role in (Role.OPS, Role.CONTROL):
        text = rules([Operator("anna", role, "s1")], Issuer.PEOPLE)
        lines = [line for line in text.splitlines() if line.startswith("topic")]
        assert lines
        assert all(" cleandesk/v1/s1/+/" in line for line in lines)


def test_an_administrator_asks_four_things_and_commands_nothing() -> None:
    lines = rules([Operator("door", Role.ADMIN)], Issuer.ADMINS).splitlines()
    asked = [line.split("/")[-2] for line in lines if line.endswith("/request")]
    assert asked == ["doctor", "rotate-key", "model", "update"]
    assert not any("cmd/+" in line for line in lines)


def test_nobody_may_do_anything_without_being_named() -> None:
    text = rules([], Issuer.PEOPLE)
    assert all(line.startswith("#") for line in text.splitlines() if line)


@pytest.mark.parametrize("name", ["", "a b", "a\ntopic readwrite #", "Anna", "a/b", "a+", "broker"])
def test_no_name_brings_rules_of_its_own(name: str) -> None:
    with pytest.raises(UsageError):
        Operator(name, Role.SUBSCRIBER)


def test_no_site_brings_rules_of_its_own() -> None:
    for site in ("#", "+", "s1/+/status\ntopic readwrite #"):
        with pytest.raises(UsageError):
            Operator("anna", Role.OPS, site)
