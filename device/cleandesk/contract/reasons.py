"""MQTT 5 reason codes that a broker may answer with: what each means here, and the fix."""

NO_MATCHING_SUBSCRIBERS = 16
FAILURE = 128  # from here on a code says that something was not done
NOT_AUTHORIZED = 135
SESSION_TAKEN_OVER = 142

_FIXES = {
    NO_MATCHING_SUBSCRIBERS: "nobody subscribes: start the subscriber, or look at its filter",
    128: "look into the broker's log",
    131: "a queue there did not take it, being full or on a node that is away: it goes again",
    132: "the broker does not speak MQTT 5: use mosquitto 2, or turn MQTT 5 on",
    133: "the broker does not take this client id: look at its rules for client ids",
    134: "the broker asks for a user name or a certificate: set broker.tls.cert and .key",
    NOT_AUTHORIZED: "certificate or access rules do not allow it: the certificate's common name "
    "must be <site>/<box>, and the broker's ACL must hold its topics",
    136: "the broker is not ready: look into its log",
    137: "the broker is busy: look at its load and limits",
    138: "the broker has banned this client: ask who runs it",
    139: "the broker is shutting down: start it again",
    SESSION_TAKEN_OVER: "another client uses the same id: two boxes with one address, or two "
    "processes on one box: end one of them, or give it its own name",
    144: "the broker does not allow this topic: look at its rules",
    149: "the message is larger than the broker's limit: raise max_packet_size there",
    151: "the broker's quota is used up: raise its limits, or free its store",
    152: "someone ended the connection on the broker: ask who runs it",
    153: "the broker calls the payload malformed: look at its payload checks",
    154: "the broker keeps no retained messages: turn them on",
    155: "the broker does not support QoS 1: use one that does",
    156: "use another server: set broker.host to the one that the broker's log names",
    157: "the server has moved: set broker.host to its new name",
    159: "too many connections at once: raise the broker's connection rate",
    161: "the broker does not support shared or identified subscriptions: use one that does",
    162: "the broker refuses wildcard filters: allow them for this client",
}


def fix(code: int) -> str:
    """Return what to do about a reason code."""
    return _FIXES.get(code, "look up the reason code in the broker's log")
