"""The console door: templates and runs (template_admin.py), the words beside fields (vocabulary_admin.py)."""

from prompts.template_admin import MagicRunAdmin, PromptTemplateAdmin
from prompts.vocabulary_admin import SectionKindAdmin, SongStructureAdmin, StyleTermAdmin

__all__ = ["MagicRunAdmin", "PromptTemplateAdmin", "SectionKindAdmin", "SongStructureAdmin", "StyleTermAdmin"]
