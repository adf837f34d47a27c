"""Messages of every hostile kind, made of valid ones; the same seed makes the same ones."""

import hashlib
import json
import struct
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from cleandesk.contract.mqtt import Received
from cleandesk.contract.topics import Address, Channel
from tests.unit.subscriber.make import START, event_fields, health_fields, hex_id, status_fields

#: Boxes that are taken over; `HONEST` is the neighbour whom they must not disturb.
TAKEN_OVER = [Address("s1", f"evil{number}") for number in range(12)]
HONEST = Address("s1", "honest")
#: Of every so many messages one is the honest box's.
HONEST_SHARE = 20

INJECTIONS = (
    *("'; DROP TABLE events; --", "' OR '1'='1", "1; SELECT pg_sleep(9)--", "$$;COMMIT;--"),
    *("\\'; DELETE FROM boxes; --", "%s%s%n", "{0.__class__}", "{{7*7}}", "${jndi:ldap://x/a}"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)"),
    *("</td></tr></table><h1>", "=cmd|'/C calc'!A0", "@SUM(1)", "+1", "-1", "\t=1"),
    *("../../../etc/passwd", "$(reboot)", "`id`", "a\r\nBcc: all@example.org", "\x1b[2J\x1b[31m"),
    *("\u202egnp.exe", "\u200b\ufeff", "\U0001f4f1" * 40, "\u0000", "\x7f", "\ud800", "a,b", "\\N"),
    *("x" * 200, "x" * 201, "\n", "\\.", "NULL", "<!channel>", "%00", "\u2028", "é" * 199),
)
NUMBERS = (
    *(0, -1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**400, -(2**63), 1e308, -0.0, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), 1.0000000000000002, 0.1 + 0.2),
)
TIMES = (
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "2026-05-04T08:00:60Z"),
    *("2026-05-04T24:00:00Z", "1969-12-31T23:59:59Z", "2106-02-07T06:28:16Z", "now", ""),
    *("2026-05-04 08:00:00", "20260504T080000Z", "1777881600", "2026-05-04T08:00:00+25:00"),
)
_TREES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [None] * 100, {"$gt": ""})


class Hostile:
    """A stream of deliveries.

    Args:
        seed: What makes it the same again.
    """

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._sequence = dict.fromkeys([*TAKEN_OVER, HONEST], 0)
        self._sent: deque[Received] = deque(maxlen=500)
        self._held: list[Received] = []

    def deliveries(self, count: int) -> Iterator[Received]:
        """Yield so many."""
        for number in range(count):
            delivery = self._honest() if number % HONEST_SHARE == 0 else self._one()
            self._sent.append(delivery)
            yield delivery

    @property
    def honest(self) -> int:
        """How many events the honest box has sent."""
        return self._sequence[HONEST]

    def _honest(self) -> Received:
        return self._delivery(HONEST, Channel.VIOLATION, self._event(HONEST))

    def _one(self) -> Received:
        kinds: tuple[tuple[int, Callable[[], Received]], ...] = (
            (15, self._valid),
            (8, self._replayed),
            (10, self._out_of_order),
            (8, self._conflict),
            (8, self._at_another_time),
            (15, self._injected),
            (15, self._wrong_values),
            (20, self._broken_json),
            (8, self._wrong_topic),
            (6, self._numbers_of_an_outbox),
            (6, self._still),
            (1, self._oversized),
        )
        weights = [weight for weight, _ in kinds]
        return self._dice.choices([kind for _, kind in kinds], weights)[0]()

    def _delivery(
        self, box: Address, channel: Channel, fields: object, *, retain: bool = False
    ) -> Received:
        payload = fields if isinstance(fields, bytes) else self._dumped(fields)
        return Received(box.topic(channel), payload, retain=retain, mid=1)

    def _dumped(self, fields: object) -> bytes:
        text = json.dumps(fields, ensure_ascii=self._dice.random() < 0.5)
        return text.encode("utf-8", "surrogatepass")

    def _box(self) -> Address:
        return self._dice.choice(TAKEN_OVER)

    def _event(self, box: Address, **changes: Any) -> dict[str, Any]:
        self._sequence[box] += 1
        seq = self._sequence[box]
        phase = self._dice.choice(["open", "update", "close"])
        ids = {"event_id": hex_id(box, seq), "violation_id": hex_id(box, seq // 3)}
        return event_fields(seq, phase=phase) | ids | {"epoch": hex_id(box)} | changes

    def _report(self) -> tuple[Channel, dict[str, Any]]:
        """Return a valid report or appeal of a box."""
        moment = START.isoformat()
        return self._dice.choice(
            [
                (Channel.STATUS, status_fields()),
                (Channel.HEALTH, health_fields(uptime_s=self._dice.random() * 1e6)),
                (Channel.PRIVACY, {"state": "break", "reason": "rest", "since": moment}),
                (Channel.IDLE, {"idle": True, "since": moment, "at": moment, "clock_synced": True}),
                (
                    Channel.APPEAL,
                    {
                        "appeal_id": hex_id(self._dice.random()),
                        "violation_id": hex_id("v"),
                        "reason": "wrong",
                        "note": "no",
                        "at": moment,
                        "clock_synced": True,
                    },
                ),
            ]
        )

    def _any(self, box: Address) -> tuple[Channel, dict[str, Any]]:
        if self._dice.random() < 0.5:
            return Channel.VIOLATION, self._event(box)
        return self._report()

    def _valid(self) -> Received:
        box = self._box()
        channel, fields = self._any(box)
        return self._delivery(box, channel, fields, retain=self._dice.random() < 0.2)

    def _replayed(self) -> Received:
        return self._dice.choice(self._sent)

    def _out_of_order(self) -> Received:
        """Send one of some that are held back, or one from far ahead."""
        box = self._box()
        if self._dice.random() < 0.1:
            self._sequence[box] += self._dice.choice([1, 5, 1000, 10**6])
        self._held.append(self._delivery(box, Channel.VIOLATION, self._event(box)))
        place = self._dice.randrange(len(self._held))
        return self._held.pop(place) if len(self._held) > 5 else self._held[-1]

    def _conflict(self) -> Received:
        """Send another event under an id or a number that is taken, perhaps by somebody else."""
        box, other = self._box(), self._dice.choice([*TAKEN_OVER, HONEST])
        seq = self._dice.randint(1, max(self._sequence[other], 1))
        fields = self._event(box)
        changes: dict[str, Any] = self._dice.choice(
            [{"event_id": hex_id(other, seq)}, {"seq": seq}, {"violation_id": hex_id(other, 1)}]
        )
        return self._delivery(box, Channel.VIOLATION, fields | changes)

    def _at_another_time(self) -> Received:
        box = self._box()
        name = self._dice.choice(["at", "opened_at"])
        return self._delivery(
            box, Channel.VIOLATION, self._event(box) | {name: self._dice.choice(TIMES)}
        )

    def _injected(self) -> Received:
        """Put hostile texts into every field that holds text, also those that nobody asked for."""
        box = self._box()
        channel, fields = self._any(box)
        hurt = self._texts(fields, all_of_them=self._dice.random() < 0.3)
        if self._dice.random() < 0.3:
            more: dict[str, Any] = {"site": "s2", "box": "honest"}
            hurt |= more | {self._dice.choice(INJECTIONS): 1}
        return self._delivery(box, channel, hurt)

    def _texts(self, value: Any, *, all_of_them: bool) -> Any:
        if isinstance(value, dict):
            return {k: self._texts(v, all_of_them=all_of_them) for k, v in value.items()}
        free = isinstance(value, str) and not _is_id(value)
        if free and (all_of_them or self._dice.random() < 0.4):
            return self._dice.choice(INJECTIONS)
        return value

    def _wrong_values(self) -> Received:
        box = self._box()
        channel, fields = self._any(box)
        for name in self._dice.sample(sorted(fields), self._dice.randint(1, 3)):
            if self._dice.random() < 0.2:
                del fields[name]
            else:
                fields[name] = self._dice.choice([*NUMBERS, *_TREES, *TIMES, *INJECTIONS])
        return self._delivery(box, channel, fields)

    def _broken_json(self) -> Received:
        box = self._box()
        channel, fields = self._any(box)
        return self._delivery(box, channel, self._broken(self._dumped(fields)))

    def _broken(self, text: bytes) -> bytes:
        dice = self._dice
        at = dice.randrange(len(text))
        depth = dice.choice([15, 16, 17, 1000, 50_000])
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: text[:at],
            lambda: text[:at] + dice.randbytes(3) + text[at + 3 :],
            lambda: text[:at] + bytes([text[at] ^ (1 << dice.randrange(8))]) + text[at + 1 :],
            lambda: text + dice.choice([b"\0", b"{}", b" // x", b"\xff"]),
            lambda: dice.choice([b"\xef\xbb\xbf", b"\x1f\x8b", b"\xff\xfe"]) + text,
            lambda: text.decode().encode(dice.choice(["utf-16", "utf-32", "utf-7"])),
            lambda: text[:1] + text[1:-1] + b"," + text[1:],
            lambda: b"[" * depth + b"]" * depth,
            lambda: text[:-1] + b',"x":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}",
            lambda: text.replace(b'"seq": ', b'"seq": ' + b"9" * dice.choice([1, 20, 9000])),
            lambda: dice.choice([b"", b"null", b"[]", b"0", b'""', b"\0" * 10, b"NaN", b"{}"]),
            lambda: dice.randbytes(dice.randrange(300)),
            lambda: text.replace(b"no-phone", dice.choice([b"\\ud800", b"\\u0000", b"\xc0\xaf"])),
        )
        return dice.choice(ways)()

    def _wrong_topic(self) -> Received:
        box = self._box()
        channel, fields = self._any(box)
        right = box.topic(channel)
        topic = self._dice.choice(
            [
                *("", "/", "#", "+", "$SYS/broker", "cleandesk/v1", right + "/", "/" + right),
                *(right.upper(), right.replace("s1", "s1/s1"), right.replace("/v1/", "/v2/")),
                *(f"cleandesk/v1/s2/b1/{channel}", f"cleandesk/v1/s1//{channel}"),
                *(f"cleandesk/v1/s1/{injected}/{channel}" for injected in INJECTIONS),
                *(box.topic(Channel.ACK), box.topic(Channel.STILL), "x" * 65_535),
                *(
                    box.topic(Channel.STILL, "0" * 31),
                    box.topic(Channel.COMMAND, "break", "request"),
                ),
            ]
        )
        return Received(topic, self._dumped(fields), mid=1)

    def _numbers_of_an_outbox(self) -> Received:
        """Let a box claim anything about its events: what was used, what waits, what is lost."""
        box = self._box()
        number = self._dice.choice([0, 1, 7, 10**6, 2**53 - 1])
        last = self._dice.choice([0, 1, 9, 10**6, 2**53 - 1])
        epoch = self._dice.choice([hex_id(box), hex_id(self._dice.randrange(50))])
        outbox = {
            "epoch": epoch,
            "next_seq": self._dice.choice([0, 1, self._sequence[box] + 1, 2**53 - 1]),
            "depth": self._dice.choice([0, 0, 1, 2**53 - 1]),
            "oldest_s": self._dice.choice([None, 0.0, 1e308]),
            "lost_ranges": [
                {"epoch": epoch, "first": number, "last": last, "reason": "full"}
                for _ in range(self._dice.randint(0, 3))
            ],
        }
        fields = health_fields(uptime_s=self._dice.random() * 1e6, outbox=outbox)
        return self._delivery(box, Channel.HEALTH, fields)

    def _still(self) -> Received:
        """Send a picture that is one, or is not what stands beside it."""
        box, dice = self._box(), self._dice
        picture = dice.choice(
            [b"\xff\xd8\xff" + dice.randbytes(50) + b"\xff\xd9", dice.randbytes(99), b"<svg/>"]
        )
        right = {
            "still_id": hex_id(dice.random()),
            "media_type": "image/jpeg",
            "sha256": hashlib.sha256(picture).hexdigest(),
            "at": START.isoformat(),
            "clock_synced": "true",
            "schema": "1",
        }
        if dice.random() < 0.6:
            right[dice.choice(sorted(right))] = dice.choice([*INJECTIONS, *TIMES])
        topic = box.topic(Channel.STILL, hex_id(dice.randrange(99)))
        return Received(
            topic, picture, retain=dice.random() < 0.2, user=tuple(right.items()), mid=1
        )

    def _oversized(self) -> Received:
        box = self._box()
        size = self._dice.choice([256 * 1024 + 1, 1_000_000])
        filler = struct.pack("B", self._dice.randrange(256)) * size
        channel = self._dice.choice([Channel.VIOLATION, Channel.HEALTH, Channel.APPEAL])
        return self._delivery(box, channel, filler)


def _is_id(text: str) -> bool:
    return len(text) in {32, 64} and set(text) <= set("0123456789abcdef")
