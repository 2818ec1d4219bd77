"""Settings of one feed connection, as they stand in the workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from tillbridge.connectors.feed.loading import MappingError, load_mapping
from tillbridge.connectors.feed.mapping import Mapping

__all__ = ["FeedConfig", "MappingError", "load_mapping", "mapping_of"]


class FeedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a feed needs: its mapping, and how cash is rounded.

    mapping: path of the mapping file, relative to the workspace. text: its content, filled in by
    whoever loads the workspace (`with_files`), so that a translator never opens a file.
    cash_rounding: minor units by which tenders may miss the total where cash is rounded.
    """

    mapping: str
    text: str = ""
    cash_rounding: int = 0

    def with_files(self, read: Callable[[str], str]) -> FeedConfig:
        """These settings with the mapping's text in them, checked.

        read gives the text of a file named in the settings. Raises MappingError
        (`file:line:column: what is wrong`) and whatever read raises.
        """
        text = read(self.mapping)
        load_mapping(text, self.mapping)
        return msgspec.structs.replace(self, text=text)


@lru_cache(maxsize=256)
def _loaded(text: str, name: str) -> Mapping:
    return load_mapping(text, name)


def mapping_of(settings: FeedConfig) -> Mapping:
    """The mapping of the settings, loaded once per text."""
    return _loaded(settings.text, settings.mapping)
