"""Fixtures that several files share."""

from typing import Any

import pytest

from policies import baselines
from policies.sb3_settings import settings_for


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the comparators update sooner and on less."""

    def hurried(name: str, *args: Any) -> tuple[dict[str, Any], Any]:
        settings, normalisation = settings_for(name, *args)
        sooner = {"n_steps": 64} if name == "ppo" else {"learning_starts": 110, "batch_size": 16}
        return {**settings, **sooner}, normalisation

    monkeypatch.setattr(baselines, "settings_for", hurried)
