"""What the Dockerfile copies is let through by .dockerignore: without a Docker engine nothing else would tell."""

import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def copied() -> list[str]:
    """The paths of the checkout that the Dockerfile copies; of patterns the folder."""
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("COPY ")]
    sources = [
        path for line in lines if not any(word.startswith("--from=") for word in line) for path in line[:-1]
    ]
    return [path.rstrip("/") for path in sources if not path.startswith("--")]


def let_through(path: str) -> bool:
    """The patterns that are there are whole paths, `*` and `!`; the last one that fits decides."""
    allowed = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parents = [path, *map(str, Path(path).parents)]
        if pattern == "*" or any(Path(each).match(pattern) and each != "." for each in parents):
            allowed = line.startswith("!")
    return allowed


def test_all_that_is_copied_is_in_the_context() -> None:
    paths = copied()
    assert "batch" in paths
    assert "deploy/entrypoint.sh" in paths
    assert [path for path in paths if not let_through(path)] == []
    assert [path for path in paths if not list(ROOT.glob(path))] == []


def test_what_is_not_named_is_left_out() -> None:
    assert not let_through("key")
    assert not let_through("tests")
    assert not let_through("dashboard/node_modules")


def test_a_volume_of_compose_belongs_to_the_user_who_writes_into_it() -> None:
    """A new volume takes owner and mode of the image's folder; where there is none, it is root's."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    worker = text[text.index("FROM service AS cv-worker\n") : text.index("USER framefleet")]
    assert "install -d -o framefleet -g framefleet -m 700 /var/lib/framefleet" in worker
    remote = yaml.safe_load((ROOT / "deploy" / "compose.remote.yml").read_text())["services"]
    assert "remote-audit:/var/lib/framefleet" in remote["cv-worker-remote"]["volumes"]
    # The only folder of Redis' image that is its user's.
    assert remote["redis"]["volumes"] == ["redis-books:/data"]
    redis = yaml.safe_load((ROOT / "deploy" / "compose.redis.yml").read_text())["services"]["redis"]
    assert redis["user"] == "redis"
