"""Settings are typed, frozen, complete; faults are listed all at once."""

from pathlib import Path

import pytest
import yaml

from yrd_airq.errors import Faults, InputError
from yrd_airq.settings import Event, Marked, load_event, load_file

EVENTS = Path(__file__).parent.parent / "configs" / "events"


def _event_with(tmp_path: Path, **changes: object) -> Path:
    data = yaml.safe_load((EVENTS / "g20-hangzhou-2016.yaml").read_text(encoding="utf-8"))
    data.update(changes)
    path = tmp_path / "event.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_event_file_loads(path: Path) -> None:
    assert load_event(path).code == path.stem


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = _event_with(tmp_path, colour="red", goal_quantile="high", receptors=5)
    with pytest.raises(InputError) as caught:
        load_event(path)
    message = str(caught.value)
    assert "3 fault(s)" in message
    assert all(word in message for word in ("colour", "goal_quantile", "receptors", "event.yaml"))


def test_an_event_that_ends_before_it_starts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="before it starts"):
        load_event(_event_with(tmp_path, end="2016-09-01"))


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_event(tmp_path / "nowhere.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1, 2", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.yaml: cannot be read as YAML"):
        load_file(Event, broken)


def test_a_recalled_number_must_say_how_sure_it_is() -> None:
    assert float(Marked(value=3, mark="found", source="GB 3095-2026 table 1")) == 3
    with pytest.raises(ValueError, match="confidence"):
        Marked(value=3, mark="recalled", source="general knowledge")


def test_a_long_list_of_faults_is_cut_with_a_count() -> None:
    faults = Faults("plants.csv")
    for row in range(25):
        faults.add(f"row {row}: no coordinates")
    with pytest.raises(InputError, match=r"25 fault\(s\)") as caught:
        faults.raise_if_any()
    assert "and 5 more" in str(caught.value)
