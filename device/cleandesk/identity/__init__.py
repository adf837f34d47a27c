"""How a box comes by its identity: `cleandesk claim` and `cleandesk renew`.

The key is made here and never leaves; the enrolment service, known by the one certificate on the
card, signs for it. Each step is one file, replaced whole, so that a power cut at any moment leaves
what the next start goes on from.
"""
