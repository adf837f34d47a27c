"""What can go wrong while an image is built."""


class ImageError(Exception):
    """The image cannot be built: says what, where, and what to do about it."""
