"""Which settings Django's technical error page, which only developers see, leaves out."""

import re

from django.views.debug import SafeExceptionReporterFilter


class SecretsLeftOut(SafeExceptionReporterFilter):
    """Django's own, which knows keys and passwords, and our addresses that hold a password or are one."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|CACHES|Q_CLUSTER|DATABASE|REDIS|WEBHOOK|EMAIL|LOGGING",
        re.IGNORECASE,
    )
