"""Statements that fill a log with violations `:a` to `:b`, `:step` seconds apart."""

_THING = (
    "CASE WHEN n % 1000 = 7 THEN 'usb_stick' WHEN n % 3 = 0 THEN 'paper' WHEN n % 3 = 1 THEN 'pen' "
    "ELSE 'phone' END"
)
#: Of a thousand violations one is of a rare class; of ten thousand one goes on.
_VIOLATIONS = """
INSERT INTO violations (site, box, violation_id, rule, class, zone, severity, score, dwell_s,
  x1, y1, x2, y2, suspended, opened_at, closed_at, reason, clock_synced, replayed, events,
  last_epoch, last_seq, last_at)
SELECT 's' || (n * 7919 % 50), 'b' || (n * 7919 % 5000), {id}, 'no-' || {thing}, {thing}, 'desk',
  CASE n % 4 WHEN 0 THEN 'high' WHEN 1 THEN 'low' ELSE 'medium' END, 0.9, 12, 0.1, 0.1, 0.2, 0.2,
  {no}, {at}, CASE WHEN n % 10000 = 77 THEN NULL ELSE {at} END, 'cleared', {yes}, {no}, 2,
  {epoch}, n, {at}
FROM {series}
"""
_EVENTS = """
INSERT INTO events (site, box, event_id, violation_id, epoch, seq, phase, reason, rule, class, zone,
  severity, score, dwell_s, x1, y1, x2, y2, suspended, opened_at, at, clock_synced, boot, model,
  schema, replayed, received_at, payload{month})
SELECT 's' || (n * 7919 % 50), 'b' || (n * 7919 % 5000), {id}, {id}, {epoch}, n, 'close', 'cleared',
  'no-' || {thing}, {thing}, 'desk', 'high', 0.9, 12, 0.1, 0.1, 0.2, 0.2, {no}, {at}, {at}, {yes},
  {epoch}, {model}, 1, {no}, {at}, {payload}{month_of}
FROM {series}
"""
_APPEALS = """
INSERT INTO appeals (site, box, appeal_id, violation_id, reason, at, clock_synced, schema, replayed,
  received_at, payload)
SELECT 's' || (n * 7919 % 50), 'b' || (n * 7919 % 5000), {id}, {id}, 'wrong', {at}, {yes}, 1, {no},
  {at}, {payload} FROM {series} WHERE n % 2000 = 3
"""
_DECISIONS = """
INSERT INTO decisions (appeal_id, outcome, note, account, at)
SELECT {id}, CASE WHEN n % 4000 = 3 THEN 'upheld' ELSE 'rejected' END, 'x', 'ann', {at}
FROM {series} WHERE n % 2000 = 3
"""
_POSTGRESQL = {
    "id": "md5(n::text)",
    "epoch": "md5('e')",
    "model": "repeat(md5((n % 2)::text), 2)",
    "at": "timestamptz '2026-01-01Z' + n * :step * interval '1 second'",
    "yes": "true",
    "no": "false",
    "payload": "''::bytea",
    "month": ", month",
    "month_of": ", date_trunc('month', timestamptz '2026-01-01Z' + n * :step * interval "
    "'1 second')::date",
    "series": "generate_series(:a ::bigint, :b ::bigint) n",
}
_SQLITE = {
    "id": "printf('%032x', n)",
    "epoch": "printf('%032x', 0)",
    "model": "printf('%064x', n % 2)",
    "at": "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', (n * :step) || ' seconds')",
    "yes": "1",
    "no": "0",
    "payload": "x''",
    "month": "",
    "month_of": "",
    "series": "(WITH RECURSIVE s(n) AS (SELECT :a UNION ALL SELECT n + 1 FROM s WHERE n < :b) "
    "SELECT n FROM s)",
}
_PARTITIONS = """
DO $$ BEGIN FOR m IN 0..12 LOOP
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
    to_char(date '2026-01-01' + m * interval '1 month', 'YYYY_MM'),
    (date '2026-01-01' + m * interval '1 month')::date,
    (date '2026-01-01' + (m + 1) * interval '1 month')::date);
END LOOP; END $$
"""


def _statements(words: dict[str, str]) -> list[str]:
    words = words | {"thing": _THING}
    return [statement.format(**words) for statement in (_VIOLATIONS, _EVENTS, _APPEALS, _DECISIONS)]


#: By dialect.
FILL = {
    "postgresql": [_PARTITIONS, *_statements(_POSTGRESQL)],
    "sqlite": _statements(_SQLITE),
}
