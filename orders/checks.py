"""What can be wrong with the settings of messages that only a look at the texts tells."""

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.compatibility)
def templates_are_named(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Every text has its registered template at the gateway."""
    from orders.messages.texts import TEMPLATES
    from orders.models import Language

    if settings.SMS_BACKEND != "aliyun":
        return []
    wanted = {f"{kind}.{language}" for kind in TEMPLATES for language in Language.values}
    missing = sorted(wanted - set(settings.ALIYUN_SMS_TEMPLATES))
    advice = "ALIYUN_SMS_TEMPLATES names no template for " + ", ".join(missing) + "."
    return [checks.Warning(advice, id="orders.W001")] if missing else []
