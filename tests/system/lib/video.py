"""A real video: H.264 and AAC in MPEG-TS, a key frame each second."""

import shutil
import subprocess

from .patience import PATIENCE
from .scenario import Skipped


def make_stream(case, seconds: int, *, name: str, picture="testsrc") -> str:
    """The file's path."""
    for program in ("ffmpeg", "ffprobe"):
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")
    out = case.folder / f"{picture}.ts"
    done = subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"{picture}=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440",
         "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-b:v", "600k", "-c:a", "aac",
         "-metadata", f"service_name={name}", "-f", "mpegts", str(out)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120 * PATIENCE, check=False, env=case.env)
    if done.returncode != 0:
        raise Skipped(f"ffmpeg makes no H.264: {done.stderr.strip().splitlines()[-1:]}")
    return str(out)
