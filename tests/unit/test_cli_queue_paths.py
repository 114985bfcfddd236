"""The paths that RabbitMQ keeps of its quorum queues."""

from pathlib import Path

from cli.queue_paths import settle

CONFIG = """#{{cluster_name => '%2F_q',
  machine => {{module,rabbit_fifo,#{{name => "data_dir"}}}},
  system_config =>
      #{{data_dir =>
            {place},
        name => quorum_queues,
        wal_data_dir =>
            {place},
        wal_garbage_collect => false}},
  uid => <<"2F_Q1">>}}."""


def queue(data: Path, name: str, place: str) -> Path:
    folder = data / "node@localhost" / "quorum" / "node@localhost" / name
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIG.format(place=place))
    return folder / "config"


def test_every_queue_looks_where_its_files_lie(tmp_path: Path) -> None:
    place = f'"{tmp_path}/node@localhost/quorum/node@localhost"'
    moved = queue(tmp_path, "A", '"/somewhere \\"else\\"/q"')
    listed = queue(tmp_path, "B", "[47,252,\n             47]")  # how Erlang prints "/ü/"
    stayed = queue(tmp_path, "C", place)
    when = stayed.stat().st_mtime_ns
    assert settle(tmp_path) == 2
    assert moved.read_text() == listed.read_text() == stayed.read_text() == CONFIG.format(place=place)
    assert stayed.stat().st_mtime_ns == when
    assert settle(tmp_path) == 0


def test_a_name_that_is_not_ascii_is_written_as_erlang_does(tmp_path: Path) -> None:
    config = queue(tmp_path / "ü", "A", '"/old"')
    assert settle(tmp_path / "ü") == 1
    assert f"data_dir =>\n            [{ord('/')}," in config.read_text()
    assert f",{ord('ü')}," in config.read_text()
    assert settle(tmp_path / "ü") == 0


def test_a_folder_without_queues_is_none_of_its_business(tmp_path: Path) -> None:
    assert settle(tmp_path / "absent") == 0
    (tmp_path / "config").write_text("data_dir => []")
    assert settle(tmp_path) == 0
