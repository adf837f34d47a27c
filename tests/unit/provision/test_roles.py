"""The rules files that are written for the broker."""

from cleandesk_fleet.provision.authorities import Issuer
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


def test_nobody_may_do_anything_without_being_named() -> None:
    text = rules([], Issuer.PEOPLE)
    assert all(line.startswith("#") for line in text.splitlines() if line)
