"""`--secret-file`: a file that others may read or write, that is another's, or that is no file at all is refused with the
reason and the remedy; one that is the user's own is taken.
"""

import os

from lib.topology import Line

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    path = case.folder / "secret"
    path.write_bytes(os.urandom(32))

    def refused(why: str) -> None:
        done = case.amt_once(["relay", "--local", line.relay_address(4), "--upstream", "r0", "--secret-file", path],
                             line.relay)
        case.check(done.returncode == 2, f"{why}: status {done.returncode}: {done.stderr}")
        case.check("--secret-file" in done.stderr and why in done.stderr, f"expected {why!r}: {done.stderr}")
    for mode in (0o604, 0o644, 0o444):
        path.chmod(mode)
        refused("anyone on this host may read it")
    for mode in (0o602, 0o606, 0o666):
        path.chmod(mode)
        refused("anyone on this host may write it")
    path.chmod(0o600)
    line.start_relay("--secret-file", path)
    path.unlink()
    refused("No such file")
    path.mkdir()
    refused("no regular file")
    path.rmdir()
    # Without a writer: opening it must not wait.
    os.mkfifo(path, 0o600)
    refused("no regular file")
