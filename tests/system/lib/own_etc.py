"""An /etc of the test's own: documented commands write there."""

import pathlib
import subprocess


def own_etc(case, *, hosts: str, resolver: str) -> pathlib.Path:
    """A copy of /etc in its place, as far as this user may read it, with these hosts and this resolver. Only in this test's
    mount namespace."""
    copy = case.folder / "etc"
    copy.mkdir()
    subprocess.run(["cp", "-a", "/etc/.", copy], stderr=subprocess.DEVNULL, check=False)
    # It may be a link to a file that a program of this machine rewrites.
    (copy / "resolv.conf").unlink(missing_ok=True)
    (copy / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}\n", encoding="ascii")
    (copy / "resolv.conf").write_text(f"nameserver {resolver}\noptions timeout:1 attempts:1\n", encoding="ascii")
    subprocess.run(["mount", "--bind", copy, "/etc"], check=True)
    (copy / "amt").mkdir(exist_ok=True)
    for role in ("relay", "gateway", "serve"):
        write_example(case, role)
    return copy


def write_example(case, role: str) -> pathlib.Path:
    """The file of the role, as packages install it."""
    path = pathlib.Path(f"/etc/amt/{role}.toml")
    path.write_text(case.amt_once(["example-config", role]).stdout, encoding="utf-8")
    return path
