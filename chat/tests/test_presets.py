"""What a model can be told before a conversation begins."""

import pytest

from chat.models import SystemPreset


@pytest.mark.django_db
def test_a_new_studio_has_presets_to_begin_with() -> None:
    names = list(SystemPreset.objects.values_list("name", flat=True))

    assert names == ["Plain helper", "Songwriter", "Picture describer", "Translator"]
    assert all(SystemPreset.objects.values_list("is_active", flat=True))
