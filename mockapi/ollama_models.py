"""The models of the imitated Ollama: what each can do, how big it is, and which of them are in memory."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from mockapi.models import OllamaLoad

STAYS = timedelta(minutes=5)
# An expiry that is this near to the one wanted is left alone, so that not every text writes to the database.
NEAR_ENOUGH = timedelta(seconds=60)
MODIFIED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
CAN_WRITE = ("completion",)


@dataclass(frozen=True)
class Model:
    """A model that is installed. A cold one takes time to load; the others are there at once."""

    name: str
    family: str
    parameter_size: str
    size: int
    context_length: int
    capabilities: tuple[str, ...] = CAN_WRITE
    is_cold: bool = False

    def can(self, ability: str) -> bool:
        """Tell whether it has one of the abilities that /api/show lists."""
        return ability in self.capabilities

    @property
    def digest(self) -> str:
        """A name for its contents."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
        """What every list says about it."""
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameter_size,
            "quantization_level": "Q4_K_M" if self.can("completion") else "F16",
        }


MODELS = (
    Model("llama3.2:latest", "llama", "3.2B", 2_019_393_189, 131_072, ("completion", "tools")),
    Model("llama3.2:1b", "llama", "1.2B", 1_321_098_329, 131_072, ("completion", "tools")),
    Model("qwen3:8b", "qwen3", "8.2B", 5_225_388_164, 40_960, ("completion", "tools", "thinking")),
    Model("gemma3:27b", "gemma3", "27.4B", 17_396_936_941, 131_072, ("completion", "vision"), is_cold=True),
    Model("nomic-embed-text:latest", "nomic-bert", "137M", 274_302_450, 2048, ("embedding",)),
)
BY_NAME = {model.name: model for model in MODELS}


def find(name: str) -> Model | None:
    """Return a model by its name; without a tag it is the latest."""
    return BY_NAME.get(name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest")


def tag(model: Model) -> dict[str, Any]:
    """Return a model as /api/tags lists it."""
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": MODIFIED.isoformat(),
        "size": model.size,
        "digest": model.digest,
        "details": model.details | {"context_length": model.context_length},
        "capabilities": list(model.capabilities),
    }


def shown(model: Model, *, verbose: bool) -> dict[str, Any]:
    """Return a model as /api/show describes it."""
    info: dict[str, Any] = {
        "general.architecture": model.family,
        "general.parameter_count": int(
            float(model.parameter_size[:-1]) * {"B": 1e9, "M": 1e6}[model.parameter_size[-1]]
        ),
        f"{model.family}.context_length": model.context_length,
        f"{model.family}.embedding_length": 3072,
        "tokenizer.ggml.tokens": ["!", '"', "#"] if verbose else None,
    }
    template = "{{ if .System }}{{ .System }}\n{{ end }}{{ .Prompt }}"
    return {
        "license": "An imitation: nothing to license.",
        "modelfile": f"# Modelfile of the mock\nFROM {model.name}\nTEMPLATE {template}\n",
        "parameters": 'stop                           "<|eot_id|>"',
        "template": template,
        "details": model.details,
        "model_info": info,
        "capabilities": list(model.capabilities),
        "modified_at": MODIFIED.isoformat(),
    }


def loaded() -> list[dict[str, Any]]:
    """Return what is in memory, as /api/ps lists it."""
    rows = OllamaLoad.objects.filter(expires_at__gt=timezone.now()).order_by("-expires_at")
    found = [(row, model) for row in rows if (model := BY_NAME.get(row.name))]
    return [
        {
            "name": model.name,
            "model": model.name,
            "size": model.size,
            "digest": model.digest,
            "details": model.details,
            "expires_at": row.expires_at.isoformat(),
            "size_vram": model.size,
            "context_length": 4096,
        }
        for row, model in found
    ]


def is_loaded(model: Model) -> bool:
    """Tell whether a model can write at once."""
    return OllamaLoad.objects.filter(name=model.name, expires_at__gt=timezone.now()).exists()


def keep(model: Model, stay: timedelta = STAYS) -> None:
    """Note that a model is in memory, for so long after now."""
    wanted = timezone.now() + stay
    near = OllamaLoad.objects.filter(
        name=model.name, expires_at__gt=wanted - NEAR_ENOUGH, expires_at__lt=wanted + NEAR_ENOUGH
    )
    if not near.exists():
        OllamaLoad.objects.update_or_create(name=model.name, defaults={"expires_at": wanted})


def unload(model: Model) -> None:
    """Take a model out of memory."""
    OllamaLoad.objects.filter(name=model.name).delete()
