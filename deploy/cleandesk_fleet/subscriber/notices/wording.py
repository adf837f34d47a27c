"""What people are told: which violations, of which desks, since when; no picture, no guess.

Rule and class are the box's own words: they are shown, and never steer what shows them.
"""

import json
from collections import Counter
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cleandesk.contract.messages import timestamp
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.output import visible
from cleandesk_fleet.subscriber.rows import Row

#: So many are told one by one; of those beyond how many there are, by site and severity.
MOST_LISTED = 50
KIND = "cleandesk.severe_violations"


def payload(message: Message) -> bytes:
    """Return a webhook's body: type, timestamp and data, as Standard Webhooks says; JSON."""
    data = {
        "count": len(message.violations),
        "violations": [_told(row) for row in message.violations[:MOST_LISTED]],
        "not_listed": [
            {"site": site, "severity": severity, "count": count}
            for (site, severity), count in sorted(_beyond(message).items())
        ],
    }
    whole = {"type": KIND, "timestamp": timestamp(message.made_at), "data": data}
    return json.dumps(whole, ensure_ascii=False).encode()


def letter(message: Message, sender: str, to: list[str]) -> EmailMessage:
    """Return an e-mail in plain text."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = _subject(message)
    mail["Date"] = format_datetime(message.made_at)
    mail["Message-ID"] = f"<{message.name}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(_lines(message)) + "\n", cte="quoted-printable")
    return mail


def _told(row: Row) -> Row:
    return {
        "site": row["site"],
        "box": row["box"],
        "violation_id": row["violation_id"],
        "severity": row["severity"],
        "rule": row["rule"],
        "class": row["class"],
        "opened_at": timestamp(row["opened_at"]),
        "clock_synced": row["clock_synced"],
    }


def _subject(message: Message) -> str:
    first, count = message.violations[0], len(message.violations)
    if count == 1:
        return f"cleandesk: violation ({first['severity']}) at {first['site']}/{first['box']}"
    sites = len({row["site"] for row in message.violations})
    return f"cleandesk: {count} violations at {sites} {'site' if sites == 1 else 'sites'}"


def _lines(message: Message) -> list[str]:
    lines = [_line(row) for row in message.violations[:MOST_LISTED]]
    for (site, severity), count in sorted(_beyond(message).items()):
        lines.append(f"and {count} more of severity {severity} at {site}")
    return [
        *lines,
        "",
        "A machine saw this, and it errs: it proves nothing by itself. The worker can object.",
        "No picture is attached. The log has the rest: cleandesk-subscriber log",
    ]


def _line(row: Row) -> str:
    moment: datetime = row["opened_at"]
    doubt = "" if row["clock_synced"] else " (the box's clock may be wrong)"
    what = f"{visible(row['rule'])} ({visible(row['class'])}), {row['severity']}"
    return f"{moment:%Y-%m-%d %H:%M:%S}Z{doubt}  {row['site']}/{row['box']}  {what}"


def _beyond(message: Message) -> Counter[tuple[str, str]]:
    rest = message.violations[MOST_LISTED:]
    return Counter((row["site"], row["severity"]) for row in rest)
