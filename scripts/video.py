"""Video files: mp4 that grows picture by picture, and GIF."""

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

GIF_RATE = 15.0  # (Pictures per second) more makes files too big for a page
SUFFIXES = (".mp4", ".gif")


class Video:
    """A video file that grows picture by picture. The first one decides its size.

    Args:
        path: where to write, ending in .mp4 or .gif. A GIF is written as mp4 beside it first.
        rate: pictures per second.

    """

    def __init__(self, path: Path, rate: float) -> None:
        self.path, self.rate, self.frames = path, rate, 0
        self.size = (0, 0)
        self._film = path.with_suffix(".mp4")
        self._writer: Any = None
        self._last = b""

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Append one picture (height, width, 3)."""
        if self._writer is None:
            self.size = (picture.shape[1], picture.shape[0])
            self._writer = imageio_ffmpeg.write_frames(
                str(self._film), self.size, fps=self.rate, quality=8, macro_block_size=2
            )
            self._writer.send(None)  # starts the encoder
        self._last = np.ascontiguousarray(picture).tobytes()
        self._send()

    def hold(self, seconds: float) -> None:
        """Let the last picture stay."""
        for _ in range(round(seconds * self.rate)):
            self._send()

    def close(self) -> None:
        """Finish the file."""
        if self._writer is None:
            return
        self._writer.close()
        if self._film != self.path:
            try:
                _as_gif(self._film, self.path, min(self.rate, GIF_RATE))
            finally:
                self._film.unlink(missing_ok=True)

    def _send(self) -> None:
        self._writer.send(self._last)
        self.frames += 1


def _as_gif(film: Path, path: Path, rate: float) -> None:
    """Turn a film into a GIF with a palette of its own, which plays for ever."""
    palette = "split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=bayer"
    words = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-i", str(film)]
    words += ["-vf", f"fps={rate:g},{palette}:bayer_scale=4:diff_mode=rectangle", str(path)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"cannot write {path}: {done.stderr.strip()}")
