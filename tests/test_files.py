import pytest

from distill_helpers.files import fresh_path, whole_file


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = fresh_path(tmp_path / "deep" / "a.txt")
    with pytest.raises(RuntimeError, match="midway"):
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("midway")
    assert list(path.parent.iterdir()) == []
    with whole_file(path) as temporary:
        temporary.write_text("all")
        assert not path.exists()
    assert [p.read_text() for p in path.parent.iterdir()] == ["all"]
    with pytest.raises(FileExistsError, match="name another file"):
        fresh_path(path)
