"""docs/evidence.md is what results/ gives, and the account of many bodies can be taken."""

import json
from pathlib import Path

from scripts.batch_account import measure
from scripts.evidence import batch, write_evidence

ROOT = Path(__file__).resolve().parent.parent


def test_the_document_is_that_of_the_results() -> None:
    written = (ROOT / "docs" / "evidence.md").read_text()
    assert written == write_evidence(ROOT / "results"), "run `make evidence`"


def test_every_study_is_shown(tmp_path: Path) -> None:
    run = {"lesion": "habit", "when": "from birth", "seed": 3, "return_mean": 1.0}
    row = {"lesion": "intact", "when": "from birth", "return": 5.0, "costs": False}
    ends = {"return_low": None, "return_high": None}
    less = {"return_change": -4.0, "return_change_low": -5.0, "return_change_high": -3.0}
    table = [
        row | ends,
        row | ends | less | {"lesion": "habit", "return": 1.0, "costs": True},
        row | ends | less | {"lesion": "critic", "return_change_high": 1.0},
    ]
    study = {"env": "A-v0", "steps": 10, "runs": [run], "table": table}
    folder = tmp_path / "lesion" / "a"
    folder.mkdir(parents=True)
    (folder / "lesions.json").write_text(json.dumps(study | {"regions": ["habit", "critic"]}))
    kills = {"studies": [{"env": "A-v0", "steps": 10, "kills": 4, "identical": 3}]}
    (tmp_path / "survival").mkdir()
    (tmp_path / "survival" / "kills.json").write_text(json.dumps(kills))
    text = write_evidence(tmp_path)
    assert "| `habit` | from birth | 1.00 | **-4.00 (-5.00 … -3.00)** |" in text
    assert "| `critic` | from birth | 5.00 | -4.00 (-5.00 … 1.00) |" in text
    assert "No cost shown here: `critic`." in text
    assert "| A-v0 | 10 | 4 | 3 |" in text


def test_many_bodies_are_accounted_for() -> None:
    found = measure(bodies=2, steps=3, born=10)
    names = ("environments", "batched_environments", "training", "training_of_one")
    assert all(found[name] > 0.0 for name in names)
    assert 0.0 < found["training_physics_share"] < found["batched_environments_physics_share"] < 1.0
    assert f"{found['training_over_one']:.1f} times" in batch({"env": "A-v0", **found})
