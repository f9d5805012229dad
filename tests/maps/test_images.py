"""Maps as images: dark is blocked, in any mode and depth; grey needs a threshold; what is no picture is refused."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from map_files import BLOCKED, cells, picture, put
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, read_map, write_map


def png(height: int, width: int, data: bytes = b"", colour: int = 0) -> bytes:
    """A PNG of 8 bits a channel with whatever size and pixel data one likes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


class TestImages:
    @pytest.mark.parametrize("suffix", [".png", ".pgm", ".bmp", ".jpg", ".jpeg"])
    def test_dark_is_blocked_and_the_top_is_row_0(self, tmp_path: Path, suffix: str) -> None:
        path = picture(tmp_path / f"a{suffix}", [[0, 0, 255], [255, 255, 255]])
        assert cells(read_map(path, threshold=0.5)) == [[1, 1, 0], [0, 0, 0]]

    def test_nearly_binary_is_fine(self, tmp_path: Path) -> None:
        assert cells(read_map(picture(tmp_path / "a.png", [[0, 25, 230, 255]]))) == [[1, 1, 0, 0]]

    def test_noise_of_jpeg_is_fine(self, tmp_path: Path) -> None:
        blocked = np.kron(BLOCKED.numpy(), np.ones((16, 16), dtype=bool))
        Image.fromarray(np.where(blocked, np.uint8(5), np.uint8(250))).save(tmp_path / "a.jpg", quality=90)
        assert np.array_equal(read_map(tmp_path / "a.jpg").blocked.numpy(), blocked)

    @pytest.mark.parametrize("grey", [26, 128, 229])
    def test_refuses_grey_without_a_threshold(self, tmp_path: Path, grey: int) -> None:
        message = r"a.png: non-binary map: expected two grey levels, .* got 3, 1 of them between .* pass --threshold T"
        with pytest.raises(InputError, match=message):
            read_map(picture(tmp_path / "a.png", [[0, grey, 255]]))

    def test_threshold(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.png", [[0, 51, 102, 254, 255]])
        assert cells(read_map(path, threshold=0.2)) == [[1, 0, 0, 0, 0]]  # 51 / 255 is not below 0.2
        assert cells(read_map(path, threshold=0.21)) == [[1, 1, 0, 0, 0]]
        assert cells(read_map(path, threshold=1.0)) == [[1, 1, 1, 1, 0]]

    def test_colours_count_by_luminance(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.png", [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]])
        assert cells(read_map(path, threshold=0.5)) == [[1, 0, 1, 0]]  # 0.30, 0.59, 0.11, 1
        assert cells(read_map(path, threshold=1.0)) == [[1, 1, 1, 0]]  # white is exactly 1

    def test_transparent_is_white(self, tmp_path: Path) -> None:
        assert cells(read_map(picture(tmp_path / "a.png", [[[0, 0, 0, 0], [0, 0, 0, 255]]]))) == [[0, 1]]
        assert cells(read_map(picture(tmp_path / "b.png", [[[0, 0, 0, 0], [0, 0, 0, 255]]], "LA"))) == [[0, 1]]

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
    def test_modes(self, tmp_path: Path, mode: str) -> None:
        suffix = ".jpg" if mode == "CMYK" else ".png"
        path = picture(tmp_path / f"a{suffix}", np.kron([[0, 255], [255, 255]], np.ones((8, 8))), mode)
        assert read_map(path).blocked[4::8, 4::8].int().tolist() == [[1, 0], [0, 0]]

    def test_16_bits(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[0, 256, 65535]], dtype=np.uint16)).save(tmp_path / "a.png")
        assert cells(read_map(tmp_path / "a.png")) == [[1, 1, 0]]  # 256 is 1 / 255 of white
        put(tmp_path / "a.pgm", b"P5 3 1 65535\n" + struct.pack(">3H", 0, 256, 65535))
        assert cells(read_map(tmp_path / "a.pgm")) == [[1, 1, 0]]

    @pytest.mark.parametrize("content", ["P2 2 2 255\n0 255\n255 255\n", "P1\n# made by hand\n2 2\n1 0 0 0\n"])
    def test_plain_pgm_and_pbm(self, tmp_path: Path, content: str) -> None:
        assert cells(read_map(put(tmp_path / "a.pgm", content))) == [[1, 0], [0, 0]]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.png", b"not a picture", r"a.png: expected a PNG, JPEG, PGM or BMP image, got what Pillow cannot read"),
            ("a.png", b"GIF89a\x02\x00\x02\x00\x80\x00\x00", r"expected a PNG, JPEG, PGM or BMP image"),
            ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n", r"expected a PNG, JPEG, PGM or BMP image"),
            ("a.pgm", "P5 20000 10000 255\n", r"what Pillow cannot read \(Image size .* could be decompression bomb"),
            (
                "a.pgm",
                "P5 12000 10000 255\n",
                r"a.pgm: expected 10000x12000 pixels as its header says, got a file of 19 b",
            ),
            ("a.pgm", "P5 10 10 255\n" + "x" * 50, r"got what Pillow cannot read \(image file is truncated"),
            ("a.pgm", "P5 0 10 255\n", r"got what Pillow cannot read"),
            ("a.pgm", "P5 1 1 255\n\0", r"a.pgm: expected a map of at least 2 cells, got height 1 and width 1"),
            ("a.pgm", "Pf 2 1 -1.0\n" + "\0" * 8, r"expected an image of 8 or 16 bits, got floating-point pixels"),
            ("a.png", png(10_000, 12_000), r"expected 10000x12000 pixels as its header says, got a file of 65 bytes"),
            ("a.png", png(300, 300), r"got what Pillow cannot read \("),
        ],
    )
    def test_refuses(self, tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            read_map(put(tmp_path / name, content))
        assert len(str(caught.value).splitlines()) == 1

    def test_jpeg_of_too_long_a_side(self, tmp_path: Path) -> None:
        with pytest.raises(
            InputError, match=r"a.jpg: a JPEG has at most 65500 pixels per side, got \[1, 65501\]; use PNG"
        ):
            write_map(tmp_path / "a.jpg", MapFile(torch.zeros(1, 65501, dtype=torch.bool)))
