"""How models are named, and the desired state on the wire."""

import pytest

from contract.errors import InvalidModelSpec
from contract.models import DesiredModels, Merge, ModelSpec, parse_model_spec
from contract.status import WatchAnnouncement, encode_status, parse_control


@pytest.mark.parametrize(
    ("text", "spec", "canonical"),
    [
        ("yunet", ModelSpec(("yunet",)), "yunet"),
        (" yunet , haar ", ModelSpec(("yunet", "haar")), "yunet,haar"),
        ("yunet,haar:vote", ModelSpec(("yunet", "haar"), Merge.VOTE), "yunet,haar:vote"),
        ("yunet,haar:best", ModelSpec(("yunet", "haar")), "yunet,haar"),
        ("yunet:all", ModelSpec(("yunet",)), "yunet"),
    ],
)
def test_a_specification_has_one_canonical_text(text: str, spec: ModelSpec, canonical: str) -> None:
    assert parse_model_spec(text) == spec
    assert str(spec) == canonical
    assert parse_model_spec(canonical) == spec


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a model name"),
        ("../etc/passwd", "is not a model name"),
        ("yunet,,haar", "is not a model name"),
        ("yunet,yunet", "twice"),
        ("yunet,haar:loudest", "is not a merge strategy"),
        ("yunet,haar:", "is not a merge strategy"),
        ("yunet:", "is not a merge strategy"),
        ("a,b,c,d,e", "at most 4"),
        ("a" * 65, "is not a model name"),
        ("a" * 301, "at most 300"),
    ],
)
def test_what_is_no_specification_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidModelSpec, match=why):
        parse_model_spec(text)


def test_control_carries_watched_cameras_and_desired_models() -> None:
    desired = DesiredModels(revision=7, cluster="haar", cameras={"gate": "yunet,haar:vote"})
    watch = WatchAnnouncement(gateway_id="g", cameras=["gate"])
    assert parse_control(encode_status(desired)) == desired
    assert parse_control(encode_status(watch)) == watch
    with pytest.raises(ValueError, match="kind"):
        parse_control(b'{"kind": "weather"}')
