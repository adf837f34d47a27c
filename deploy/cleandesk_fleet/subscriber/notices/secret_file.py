"""Reads a secret that stands in a file of its own."""

from pathlib import Path

from cleandesk.problems import ConfigError, Problem


def read(path: Path, key: str) -> str:
    """Return what stands in a file, without the line's end.

    Args:
        path: The file.
        key: The setting that names it, for the error.

    Raises:
        ConfigError: If it is not there, empty, or readable for others.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise misfit(path, key, reason, "name a text file that this user can read") from error
    if mode & 0o077:
        raise misfit(path, key, "others can read it", f"chmod 600 {path}, and choose a new one")
    if not text:
        raise misfit(path, key, "it is empty", "write the secret into it")
    return text


def misfit(path: Path, key: str, reason: str, fix: str) -> ConfigError:
    """Return the error of a file that a setting names."""
    return ConfigError([Problem(path, None, key, reason, fix)])
