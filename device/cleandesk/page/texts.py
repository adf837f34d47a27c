"""The page's words: which language to speak, and what a text says in it."""

from collections.abc import Iterator

from cleandesk.worker.languages import Language
from cleandesk.worker.wording import words

DEFAULT = Language.EN


class Texts:
    """All texts in all languages, by their full keys."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str, str]] = {
            language.value: words(language) for language in Language
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages, the default one first."""
        return (DEFAULT, *sorted(set(self._words) - {DEFAULT}))

    def keys(self, language: str) -> frozenset[str]:
        """Return the names of all texts of a language."""
        return frozenset(self._words[language])

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Return a text with its placeholders filled.

        Raises:
            KeyError: If there is no such text, or a placeholder has no value.
        """
        return self._words[language][key].format_map(values)

    def known(self, language: str, key: str, otherwise: str) -> str:
        """Return a text without placeholders, or another word where there is none."""
        return self._words[language].get(key, otherwise)

    def choose(self, chosen: str | None, accepted: str) -> str:
        """Return the language to speak.

        Args:
            chosen: What the reader asked for, if they did.
            accepted: The browser's `Accept-Language`.
        """
        if chosen in self._words:
            return chosen
        wanted = sorted(_wanted(accepted), key=lambda pair: -pair[1])
        return next((name for name, weight in wanted if name in self._words and weight), DEFAULT)


def _wanted(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted[:200].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            yield name.split("-")[0].lower(), float(weight or 1)
        except ValueError:
            continue
