"""The subscriber: takes what boxes send, logs it once, answers for it, and watches for gaps."""
