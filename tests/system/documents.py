"""`amt man`, `amt help`, and the completions, by the programs that read them."""

import shutil
import subprocess

NEEDS = {"program"}
COMMANDS = ("relay", "gateway", "receive", "serve", "send", "announce", "discover", "status", "top", "reload", "drain", "bench", "demo")


def run(case):
    for command in ("", *COMMANDS):
        done = case.amt_once(["man", *([command] if command else [])])
        case.check(done.returncode == 0 and "amt" in done.stdout, f"amt man {command}: {done}")
        case.check(not done.stdout.startswith(".TH"), "formatted")
    text = case.amt_once(["man", "receive"]).stdout
    case.check("--rtp" in text or "\\-\\-rtp" in text, text)
    # Without man and groff: the help.
    bare = subprocess.run([case.amt, "man", "receive"], env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=False)
    case.check(bare.returncode == 0 and "Usage: amt receive" in bare.stdout, f"{bare}")
    case.check(case.amt_once(["man", "nothing"]).returncode == 2, "no such page")
    case.check("amt man" in case.amt_once(["help"]).stdout, "help names it")

    missing = []
    for shell in ("bash", "zsh", "fish"):
        script = case.amt_once(["completion", shell])
        case.check(script.returncode == 0 and "--rtp" in script.stdout or "-l rtp" in script.stdout, f"{shell}: {script}")
        if shutil.which(shell) is None:
            missing.append(shell)
            continue
        read = subprocess.run([shell, "-n"], input=script.stdout, capture_output=True, text=True, check=False)
        case.check(read.returncode == 0, f"{shell}: {read.stderr}")
    if missing:
        case.note(f"not read by {', '.join(missing)}: not installed")
