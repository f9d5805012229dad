"""The pictures of the environments: an agent that arrives, frame by frame."""

from PIL import Image

from studies import environment_pictures


def test_every_picture_is_drawn(tmp_path, monkeypatch):
    few = {name: (*episode[:3], episode[3][:1]) for name, episode in environment_pictures.EPISODES.items()}
    monkeypatch.setattr(environment_pictures, "EPISODES", few)
    environment_pictures.main(environment_pictures.Arguments(out=tmp_path))
    for name in few:
        with Image.open(tmp_path / name) as picture:
            assert picture.n_frames >= 2
