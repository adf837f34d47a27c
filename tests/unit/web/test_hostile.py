"""HTML and SQL in every field of every message that is shown: text, and nothing else."""

import html
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cleandesk_fleet.subscriber.intake import Rejected, read
from cleandesk_fleet.subscriber.tables import violations as table
from cleandesk_fleet.web.roles import Role
from tests.unit.subscriber.make import event_fields, health_fields, hex_id, received, status_fields
from tests.unit.subscriber.test_appeals import appeal_fields
from tests.unit.web.conftest import Site
from tests.unit.web.make import path_of, picture

HTML = [
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></table><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt;&#x3C;b&#x3E;",
    "\u202e\u2066gnp.exe",
    "<!--",
    "]]>",
    "<style>*{display:none}</style>",
]
SQL = [
    "'; DROP TABLE violations; --",
    "' OR '1'='1",
    '" OR 1=1 --',
    "%' AND 1=0 UNION SELECT 1 --",
    "\\'; --",
]
PAGES = [
    *(path_of(number) for number in range(1, 6)),
    "/",
    "/boxes/s1/b1",
    "/violations",
    "/appeals",
    "/rates",
    "/audit",
    "/accounts",
]
#: What the templates themselves use; nothing else may come out.
TAGS = {
    *("a", "article", "b", "blockquote", "body", "br", "button", "code", "datalist", "dd"),
    *(
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
    ),
    *("html", "img", "input", "label", "legend", "li", "line", "link", "main", "meta", "nav"),
    *("ol", "option", "p", "rect", "section", "select", "small", "span", "summary", "svg"),
    *("table", "tbody", "td", "text", "textarea", "th", "thead", "time", "title", "tr", "ul"),
    "wbr",
}


class Reader(HTMLParser):
    """Notes tags, and attributes that would run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.bad: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            links = name in {"href", "src", "action", "formaction", "xlink:href"}
            if (
                name.startswith("on")
                or name == "style"
                or (links and not (value or "").startswith(("/", "#")))
            ):
                self.bad.append((tag, name, value))


def say(site: Site, text: str, number: int = 1) -> None:
    """Let a box say it in each field that takes a text, of every message."""
    texts = {"class": text, "rule": text, "zone": text}
    ids = {"violation_id": hex_id("violation", number)}
    opens = {"event_id": hex_id("open", number)} | ids | texts
    closes = {"event_id": hex_id("close", number)} | ids | texts
    fault = {"fault": "black", "fault_detail": text}
    messages: list[tuple[str, dict[str, Any]]] = [
        ("status", status_fields() | {"version": text, "model": text, "safe_mode": text}),
        ("health", health_fields(camera=fault, safe_mode=text)),
        ("privacy", {"state": "fault", "reason": text, "since": "2026-05-04T08:00:00Z"}),
        ("violation", event_fields(2 * number, **opens)),
        ("violation", event_fields(2 * number + 1, phase="close", **closes)),
        ("appeal", appeal_fields(number, note=text) | ids),
    ]
    taken = [read(received(channel, message), None) for channel, message in messages]
    assert not [one for one in taken if isinstance(one, Rejected)], taken
    broken = read(received("violation", ('{"class": ' + repr(text)).encode()), None)
    site.log.commit([*taken, broken, picture(number)], site.clock())


def check(site: Site) -> None:
    reader = site.as_(Role.ADMIN)
    for path in PAGES:
        answer = reader.get(path)
        assert answer.status_code == 200, path
        seen = Reader()
        seen.feed(answer.text)
        assert seen.bad == [], path
        assert seen.tags <= TAGS, (path, seen.tags - TAGS)


def test_html_of_a_message_is_shown_as_text(file_site: Site) -> None:
    for number, text in enumerate(HTML, 1):
        say(file_site, text, number)
    check(file_site)
    reader = file_site.as_(Role.ADMIN)
    shown = html.unescape(reader.get("/violations").text)
    for text in HTML:
        assert text in shown


def test_sql_of_a_message_or_a_filter_is_a_text(site: Site) -> None:
    for number, text in enumerate(SQL, 1):
        say(site, text, number)
        filter_by(site, text)
    check(site)
    assert len(site.rows(table)) == len(SQL)


def filter_by(site: Site, text: str) -> None:
    reader = site.as_(Role.ADMIN)
    for name in ("site", "box", "class", "rule"):
        found = reader.get("/violations", params={name: text})
        assert found.status_code == 200
        shown = "No violation fits" not in found.text
        assert shown == (name in {"class", "rule"}), name
    for path in ("/", "/appeals", "/audit"):
        for name in ("site", "account"):
            assert reader.get(path, params={name: text}).status_code == 200
    for path in (f"/violations/{text}/b1/x", f"/boxes/{text}/b1", f"/stills/{text}"):
        assert reader.get(path.replace("%", "%25").replace("#", "%23")).status_code == 404


@pytest.fixture
def reader(file_site: Site) -> TestClient:
    return file_site.as_(Role.ADMIN)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
    st.sampled_from(["/", "/violations", "/appeals", "/rates", "/audit", "/accounts"]),
)
def test_whatever_is_in_an_address_is_answered(reader: TestClient, text: str, path: str) -> None:
    for name in ("site", "after", "since", "status", "standing", "action", "account", "said"):
        assert reader.get(path, params={name: text}).status_code < 500
