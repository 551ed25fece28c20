"""Prompt templates in the console; the words beside the fields: vocabulary_admin.py."""

from prompts.vocabulary_admin import SectionKindAdmin, SongStructureAdmin, StyleTermAdmin

__all__ = ["SectionKindAdmin", "SongStructureAdmin", "StyleTermAdmin"]
