"""Is everything ready? What the studio needs, line by line, and what to do about what is missing."""

from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from macai import health, pulse
from macai.findings import NONE_YET, NOT_VERIFIED


class Check(NamedTuple):
    """A line of the checklist: what is looked at, whether it is well, and what it means or what to do."""

    label: str
    is_well: bool
    advice: str


def worker_and_storage() -> list[Check]:
    """Look at what the studio itself needs."""
    worker, storage = pulse.worker_is_alive(), pulse.storage_is_writable()
    return [
        Check(
            _("Worker"),
            worker,
            _("Running. It makes songs and pictures while you do something else.")
            if worker
            else _("Not running, so songs wait. Start the studio with “make run”."),
        ),
        Check(
            _("Storage"),
            storage,
            storage_advice(is_well=storage),
        ),
    ]


def storage_advice(*, is_well: bool) -> str:
    """Say where songs and pictures are kept, or what to do if they cannot be."""
    if settings.MEDIA_S3_BUCKET and is_well:
        words = _("Songs and pictures are kept in the bucket %(bucket)s.")
    elif settings.MEDIA_S3_BUCKET:
        words = _(
            "The bucket %(bucket)s, or %(path)s, cannot be written. See that its server answers, that it exists, and "
            "that MEDIA_S3_ACCESS_KEY_ID may list, get, put and delete there."
        )
    elif is_well:
        words = _("Songs and pictures are kept in %(path)s.")
    else:
        words = _("%(path)s cannot be written. Make room there, or set DATA_DIR to another folder.")
    return words % {"path": settings.MEDIA_ROOT, "bucket": settings.MEDIA_S3_BUCKET}


def providers() -> list[Check]:
    """Say of each service outside whether it is the real one."""
    return [provider_check(provider) for provider in pulse.providers()]


def provider_check(provider: pulse.Provider) -> Check:
    """Say whether a service is the real one. An imitated one is well, too: that is how a studio starts."""
    if provider.is_mock:
        advice = _("Imitated (MOCK): nothing is charged. Set %(variable)s in .env to use the real one.")
        return Check(provider.name, is_well=True, advice=advice % {"variable": provider.setting})
    advice = (
        _("The real service. What it makes costs money.") if provider.is_paid else _("The real one, free of charge.")
    )
    return Check(provider.name, is_well=True, advice=advice)


def ollama(answer: pulse.OllamaAnswer, *, is_mock: bool) -> Check:
    """Say what Ollama answered."""
    if not answer.is_well:
        advice = _(
            "%(problem)s Start it, or set OLLAMA_BASE_URL in .env to where it is. Everything else goes on working."
        )
        return Check(_("Ollama answers"), is_well=False, advice=advice % {"problem": answer.problem})
    count = ngettext("%(count)d model", "%(count)d models", answer.model_count) % {"count": answer.model_count}
    kind = _("imitated") if is_mock else _("real")
    advice = _("%(models)s at %(address)s (%(kind)s).") % {"models": count, "address": answer.address, "kind": kind}
    return Check(_("Ollama answers"), is_well=True, advice=advice)


def backup() -> Check:
    """Say how old the newest backup is, or that it was not found good."""
    finding = health.backup()
    if finding.code == NOT_VERIFIED:
        advice = _("%(message)s Make one with “python manage.py backup”, and verify it in the admin.")
        return Check(_("Backup"), is_well=False, advice=advice % {"message": finding.message})
    if finding.value is not None and finding.code != NONE_YET:
        words = _("%(message)s It is %(hours)d hours old.") % {"message": finding.message, "hours": finding.value}
    else:
        words = finding.message
    if finding.is_worth_an_alert or finding.code == NONE_YET:
        advice = _("%(words)s Make one with “python manage.py backup”.")
        return Check(_("Backup"), is_well=False, advice=advice % {"words": words})
    return Check(
        _("Backup"),
        is_well=True,
        advice=_("%(words)s Kept in %(path)s.") % {"words": words, "path": settings.BACKUP_DIR},
    )
