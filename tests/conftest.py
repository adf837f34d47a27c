"""What holds for all tests."""

from hypothesis import settings

# A busy machine is no failure: how long an example takes is not judged.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
