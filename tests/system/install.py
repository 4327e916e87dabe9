"""`cmake --install` into a folder: the program runs from there, man(1) shows its pages, shells load its completions, and the
examples are files that it accepts. With a private prefix nothing of the system is touched."""

import os
import pathlib
import shutil
import stat
import subprocess

from lib.scenario import Skipped

NEEDS = {"program"}


def install(case, build: pathlib.Path, prefix: str) -> pathlib.Path:
    root = case.folder / prefix.strip("/").replace("/", "-")
    done = subprocess.run(["cmake", "--install", str(build), "--prefix", prefix], capture_output=True, text=True, check=False,
                          env={**os.environ, "DESTDIR": str(root)})
    case.check(done.returncode == 0, done.stderr)
    return root


def completions(case, top: pathlib.Path) -> None:
    files = {"bash": top / "share/bash-completion/completions/amt", "zsh": top / "share/zsh/site-functions/_amt",
             "fish": top / "share/fish/vendor_completions.d/amt.fish"}
    load = {"bash": 'source "$1"; COMP_WORDS=(amt rel); COMP_CWORD=1; _amt; echo "${COMPREPLY[@]}"',
            "zsh": 'autoload -Uz compinit; compinit -u -D; source "$1"; whence -w _amt',
            "fish": 'source $argv[1]; complete -C "amt rel"'}
    for shell, file in files.items():
        case.check(file.stat().st_size > 1000, f"{file}")
        if shutil.which(shell) is None:
            case.note(f"{shell} is not installed: its completion was not loaded")
            continue
        words = [shell, "-c", load[shell], *(["-"] if shell != "fish" else []), str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        case.check(done.returncode == 0 and ("relay" in done.stdout or "function" in done.stdout), f"{shell}: {done}")


def manual(case, top: pathlib.Path, program: pathlib.Path) -> None:
    names = subprocess.run([program, "subcommands"], capture_output=True, text=True, check=True).stdout.split()
    case.check("relay" in names and "receive" in names, f"{names}")
    pages = {file.name for file in (top / "share/man/man1").iterdir()}
    case.check(pages == {"amt.1", *(f"amt-{name}.1" for name in names)}, f"{sorted(pages)}")
    if shutil.which("man") is None:
        return case.note("man is not installed: the pages were not shown")
    for page in sorted(pages):
        done = subprocess.run(["man", "--warnings", "-l", top / "share/man/man1" / page], capture_output=True, text=True,
                              check=False, env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        case.check(done.returncode == 0 and "NAME" in done.stdout and done.stderr == "", f"{page}: {done.stderr}")


# A program of somebody else, by CMake.
CONSUMER = """cmake_minimum_required(VERSION 3.18)
project(watch LANGUAGES C)
find_package(amt 0.1 REQUIRED)
add_executable(watch {source})
target_link_libraries(watch PRIVATE amt::amt)
"""
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/watch.c"


def library(case, top: pathlib.Path) -> None:
    """The folder may be moved: neither pkg-config nor CMake names the place where it was built."""
    folder = case.folder / "consumer"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(CONSUMER.format(source=EXAMPLE), encoding="utf-8")
    for command in (["cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={top}"], ["cmake", "--build", folder / "build"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        case.check(done.returncode == 0, f"{command}: {done.stdout} {done.stderr}")
    done = subprocess.run([folder / "build/watch", "nonsense"], capture_output=True, text=True, check=False)
    case.check(done.returncode == 1 and "amt://" in done.stderr, f"{done}")
    [modules] = top.rglob("pkgconfig")
    done = subprocess.run(["pkg-config", "--cflags", "--libs", "amt"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PKG_CONFIG_PATH": str(modules)})
    case.check(done.returncode == 0 and str(top) in done.stdout, f"pkg-config: {done}")


def run(case):
    build = pathlib.Path(case.amt).parent
    if not (build / "cmake_install.cmake").exists() or not (build / "documents/written").exists():
        raise Skipped("this program stands in no build folder with documents")
    root = install(case, build, "/usr")
    top = root / "usr"
    program = top / "bin/amt"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    case.check(done.returncode == 0 and done.stdout.startswith("amt "), f"{done}")
    case.check("(commit " in done.stdout or not (build.parent.parent / ".git").exists(), f"the commit: {done.stdout}")
    case.note(done.stdout.strip())
    completions(case, top)
    manual(case, top, program)
    library(case, top)
    for unit in ("amt-relay", "amt-gateway", "amt-gateway@", "amt-serve"):
        text = (top / f"lib/systemd/system/{unit}.service").read_text(encoding="utf-8")
        case.check("ExecStart=/usr/bin/amt " in text and "@" not in text.replace("@s", "").replace("@p", "").replace("@r", ""),
                   f"{unit}: {text}")
    for role in ("relay", "gateway", "serve"):
        example = root / f"etc/amt/{role}.toml"
        case.check(example.stat().st_size > 2000, f"{example}")
        # An unusable value behind the file is what is complained of, so the file itself was read.
        done = subprocess.run([program, role, "--config", example, "--relay-port", "0"], capture_output=True, text=True, check=False)
        case.check(done.returncode == 2 and "--relay-port 0" in done.stderr, f"{role}: {done}")
    case.check((top / "share/doc/amtkit/docs/security.md").exists(), "the guides")
    # A link has no mode of its own.
    odd = [str(path) for path in root.rglob("*") if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o022]
    case.check(not odd, f"others may write {odd}")
    # Again, when somebody has edited an example: it is theirs.
    (root / "etc/amt/relay.toml").write_text('upstream = "eth0"\n', encoding="ascii")
    install(case, build, "/usr")
    case.check((root / "etc/amt/relay.toml").read_text(encoding="ascii") == 'upstream = "eth0"\n', "an edited file stays")

    private = install(case, build, "/opt/amt")
    case.check(sorted(path.name for path in private.iterdir()) == ["opt"], f"{list(private.iterdir())}")
    case.check((private / "opt/amt/bin/amt").exists(), "the program")
