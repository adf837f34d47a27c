from pathlib import Path
from typing import Any

import pytest
import yaml

from cleandesk.config import ConfigError, load
from cleandesk_fleet.web.settings import WebSettings
from tests.rig import ROOT

ROLES = {"viewer": ["ops"]}


def settings(**given: Any) -> WebSettings:
    return WebSettings.model_validate({"url": "https://ops.example.org"} | given)


def test_the_shipped_file_says_the_defaults() -> None:
    shipped = load(ROOT / "deploy" / "web.yaml", WebSettings)
    plain = settings()
    assert shipped.model_copy(update={"store": plain.store}) == plain


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://Ops.example.org/", "https://ops.example.org"),
        ("https://ops.example.org:8443", "https://ops.example.org:8443"),
        ("http://localhost:8443", "http://localhost:8443"),
    ],
)
def test_the_page_has_one_name(url: str, called: str) -> None:
    assert settings(url=url).url == called


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://ops.example.org"}, "http:// is for localhost"),
        ({"url": "https://ops.example.org/page"}, "nothing behind the name"),
        ({"url": "https://me@ops.example.org"}, "nothing behind the name"),
        ({"url": "ops.example.org"}, "write https://"),
        ({"listen": {"address": "0.0.0.0"}}, "in the clear"),
        ({"listen": {"cert": "a.pem"}}, "go together"),
        ({"listen": {"socket": "a", "cert": "a", "key": "b"}}, "needs no certificate"),
        ({"store": {"url": "log.db"}}, "a file belongs to 'path'"),
        ({"store": {"url": "postgresql://a:b@c/d"}}, "password does not belong here"),
        ({"proxy": {"roles": ROLES}}, "whoever can reach the page"),
        ({"proxy": {"roles": ROLES, "secret": "s"}}, "whoever can reach the page"),
        ({"proxy": {"roles": ROLES, "addresses": ["10.0.0.7"]}}, "whoever can reach the page"),
        (
            {"listen": {"socket": "s"}, "proxy": {"roles": ROLES, "secret": "s"}},
            "needs no 'addresses'",
        ),
        ({"proxy": {"roles": {"owner": ["ops"]}, "secret": "s"}}, "viewer"),
        ({"audit_days": 7}, "30"),
        ({"audit_day": 90}, "audit_days"),
    ],
)
def test_what_would_be_unsafe_or_wrong_is_refused_with_a_fix(
    tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump({"url": "https://ops.example.org"} | given), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(path, WebSettings)
    assert words in str(refused.value)


def test_a_proxy_on_a_socket_needs_nothing_else() -> None:
    made = settings(listen={"socket": "page.sock"}, proxy={"roles": ROLES})
    assert made.proxy is not None
