"""Leaving a broker, by paho's client."""

import paho.mqtt.client as mqtt


def leave(client: mqtt.Client) -> None:
    """Disconnect, and wait until the client's thread has ended.

    `loop_stop` asks twice for a thread that forgets itself at its end, which may be in between.
    """
    thread = client._thread
    client.disconnect()
    if thread is not None:
        thread.join()
