"""Templates as a file: taken out, and taken in again after a look at what it would change."""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from prompts import curation
from prompts.curation import Wording, check_wording, wording_of
from prompts.models import PromptTemplate

FORMAT = "macai-prompt-templates"
FILE_LIMIT = 1024 * 1024  # bytes
TEMPLATES_LIMIT = 200

Standing = Literal["new", "same", "other", "refused"]


@dataclass(frozen=True)
class Entry:
    """One template of a file, and how it stands to what the studio has: it would follow `latest`."""

    number: int
    wording: Wording | None
    standing: Standing
    latest: PromptTemplate | None = None
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the page calls it."""
        if self.wording is None:
            return _("Number %(number)d") % {"number": self.number}
        return f"{self.wording.category} / {self.wording.action}"


def export(templates: Iterable[PromptTemplate]) -> str:
    """Return versions as the text of a file, to be read by people and by `read`."""
    told = [asdict(wording_of(template)) | {"variables": template.variables} for template in templates]
    return json.dumps({"format": FORMAT, "version": 1, "templates": told}, ensure_ascii=False, indent=2) + "\n"


def read(data: bytes) -> list[Entry]:
    """Read a file and say what each of its templates would change. Nothing is changed.

    Raises:
        ValidationError: it is no file of templates, in one sentence.
    """
    entries: list[Entry] = []
    for number, item in enumerate(_items(data), start=1):
        entries.append(_entry(number, item, {_name(entry) for entry in entries}))
    return entries


def _name(entry: Entry) -> tuple[str, str] | None:
    return (entry.wording.category, entry.wording.action) if entry.wording else None


def _items(data: bytes) -> list[Any]:
    if len(data) > FILE_LIMIT:
        raise ValidationError(_("The file is larger than 1 MB."))
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValidationError(_("The file is not JSON.")) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValidationError(_("This is no file of templates: it does not say “%(format)s”.") % {"format": FORMAT})
    if content.get("version") != 1:
        raise ValidationError(_("The file was made by a newer studio."))
    items = content.get("templates")
    if not isinstance(items, list) or not items:
        raise ValidationError(_("There are no templates in the file."))
    if len(items) > TEMPLATES_LIMIT:
        raise ValidationError(_("At most %(limit)d templates in a file.") % {"limit": TEMPLATES_LIMIT})
    return items


def _entry(number: int, item: Any, seen: Collection[Any]) -> Entry:
    try:
        wording = _wording(item)
    except ValidationError as error:
        return Entry(number, None, "refused", problems=tuple(error.messages))
    try:
        check_wording(wording)
    except ValidationError as error:
        told = tuple(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
        return Entry(number, wording, "refused", problems=told)
    if (wording.category, wording.action) in seen:
        return Entry(number, wording, "refused", problems=(_("It is in the file twice."),))
    latest = PromptTemplate.objects.newest().filter(category=wording.category, action=wording.action).first()
    if latest is None:
        return Entry(number, wording, "new")
    is_same = wording.columns() == wording_of(latest).columns()
    return Entry(number, wording, "same" if is_same else "other", latest)


def _wording(item: Any) -> Wording:
    """Return what an item of a file says, in the right types."""
    kinds: dict[str, tuple[type, ...]] = {
        "temperature": (int, float), "max_tokens": (int,), "is_text_needed": (bool,), "variables": (list,),
    }  # fmt: skip
    if not isinstance(item, dict):
        raise ValidationError(_("It is no object."))
    values: dict[str, Any] = {}
    for field in fields(Wording):
        if field.name not in item:
            continue
        value, kind = item[field.name], kinds.get(field.name, (str,))
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
            raise ValidationError(_("“%(name)s” is of the wrong kind.") % {"name": field.name})
        values[field.name] = tuple(value) if isinstance(value, list) else value
    unknown = sorted(set(map(str, item)) - {field.name for field in fields(Wording)})
    if unknown:
        raise ValidationError(_("“%(name)s” is not known here.") % {"name": unknown[0][:40]})
    return Wording(**values)


@transaction.atomic
def take_in(data: bytes, *, replace: Collection[int], user: User | None) -> tuple[int, int]:
    """Take a file's templates in: the new ones, and as new versions those whose numbers are in `replace`.

    Return how many templates and how many versions were made. What is refused or the same is left out.

    Raises:
        ValidationError: it is no file of templates.
    """
    made, versions = 0, 0
    for entry in read(data):
        if entry.wording is None:
            continue
        if entry.standing == "new":
            curation.create_template(entry.wording, user=user, note=_("From a file"))
            made += 1
        elif entry.standing == "other" and entry.latest is not None and entry.number in replace:
            curation.edit_template(entry.latest, entry.wording, user=user, note=_("From a file"))
            versions += 1
    return made, versions
