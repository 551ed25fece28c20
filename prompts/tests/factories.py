"""Rows for tests."""

from typing import Any

from prompts.models import MagicRun, PromptTemplate

MOOD = {
    "name": "mood", "label": "Mood", "kind": "choice", "choices": ["calm", "wild"], "default": "calm",
    "required": False,
}  # fmt: skip


def make_template(**overrides: Any) -> PromptTemplate:
    """Make a template that is in use, with one variable."""
    values = {
        "category": "poems",
        "action": "enhance",
        "pre_condition": "Make this {mood}.",
        "post_condition": "Answer with the poem only.",
        "variables": [MOOD],
        "model": "llama3.2",
        "max_tokens": 500,
    }
    return PromptTemplate.objects.create(**(values | overrides))


def make_run(**overrides: Any) -> MagicRun:
    """Make a run that is done."""
    template = overrides.pop("template_version", None) or PromptTemplate.objects.filter(category="poems").first()
    template = template or make_template()
    values = {
        "template_version": template,
        "category": template.category,
        "action": template.action,
        "version": template.version,
        "input_text": "a lake",
        "prompt": "Make this calm.\n\na lake",
        "output_text": "a calm lake",
        "model": "llama3.2",
        "state": "done",
        "seconds": 1.5,
        "tokens": 12,
    }
    return MagicRun.objects.create(**(values | overrides))
