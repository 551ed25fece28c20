"""nginx's configuration, rendered from the templates that its container renders by itself."""

import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

TEMPLATES = settings.BASE_DIR / "nginx" / "templates"
SUFFIX = ".template"
VARIABLE = re.compile(r"\$\{(MACAI_[A-Z_]+)\}")  # as NGINX_ENVSUBST_FILTER in docker-compose.yml


def render(folder: Path, values: Mapping[str, str]) -> list[Path]:
    """Write the configuration into nginx's folder conf.d. Return the files. Raises KeyError for a value not given."""
    written = []
    for template in sorted(TEMPLATES.rglob(f"*{SUFFIX}")):
        target = folder / template.relative_to(TEMPLATES).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = template.read_text(encoding="utf-8")
        target.write_text(VARIABLE.sub(lambda match: values[match[1]], text), encoding="utf-8")
        written.append(target)
    return written


def values(
    *, names: list[str], apps: list[str], http: int, https: int, certificate: str, key: str, logs: str
) -> dict[str, str]:
    """Return what the templates ask for, of an nginx on the same machine as the app's `apps` (host:port)."""
    return {
        "MACAI_APP": " ".join(f"server {app} max_fails=0;" for app in apps),
        "MACAI_CERTIFICATE": certificate,
        "MACAI_CERTIFICATE_KEY": key,
        "MACAI_HTTPS_PORT": str(https),
        "MACAI_HTTPS_SUFFIX": "" if https == 443 else f":{https}",
        "MACAI_HTTP_PORT": str(http),
        "MACAI_LOGS": logs,
        "MACAI_MEDIA": str(settings.MEDIA_ROOT),
        "MACAI_NAMES": " ".join(names) or "_",
        "MACAI_RESOLVER": "127.0.0.1",
        "MACAI_STATIC": settings.STATIC_SHARE or str(settings.STATIC_ROOT),
    }
