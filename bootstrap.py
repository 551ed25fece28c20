"""Make the environment in .venv and start the studio in it. Needs nothing but Python, and says so if that is too old.

Written in the oldest common Python, so that a too old one can read it up to its one sentence.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
UNFINISHED = os.path.join(VENV, "unfinished")  # there while something is being installed: an interruption leaves it
NEEDED = (3, 11)
S3 = "requirements-s3.txt"  # what media in a bucket need beside the rest
USAGE = "usage: bootstrap.py run | manage COMMAND | dev | test [pytest arguments]"


def runs(*arguments):
    # type: (str) -> bool
    """Tell whether the environment's Python does this without an error."""
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call((PYTHON,) + arguments, stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


def call(sentence, *arguments):
    # type: (str, str) -> None
    """Run a command and show its complaints; end with the sentence if it fails."""
    with open(os.devnull, "w") as nowhere:
        if subprocess.call(arguments, cwd=ROOT, stdout=nowhere) != 0:
            sys.exit("macai: " + sentence)


def make_environment():
    # type: () -> None
    """Make .venv from nothing. Left in the middle, it is made again at the next start."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        package = "python{0}.{1}-venv".format(*sys.version_info[:2])
        sys.exit("macai: Python's venv module is missing. On Debian and Ubuntu: apt install " + package)
    say("Making the environment in .venv ...")
    shutil.rmtree(VENV, ignore_errors=True)
    call(".venv could not be made.", sys.executable, "-m", "venv", "--without-pip", VENV)
    open(UNFINISHED, "w").close()
    call("pip could not be put into .venv.", PYTHON, "-m", "ensurepip", "--default-pip")


def install(*files):
    # type: (str) -> None
    """Install those requirement files that have changed since they were last installed."""
    if os.path.exists(UNFINISHED) or not runs("-c", "import sys; sys.exit(sys.version_info < (3, 11))"):
        make_environment()
    changed = [name for name in files if read(stamp(name)) != fingerprint(name)]
    if not changed:
        return
    if not runs("-m", "pip", "--version"):
        make_environment()
        changed = list(files)
    open(UNFINISHED, "w").close()
    for name in changed:
        say("Installing what {0} lists ...".format(name))
        pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
        call(name + " could not be installed; the lines above say why.", *(pip + ("-r", os.path.join(ROOT, name))))
        with open(stamp(name), "w") as file:
            file.write(fingerprint(name))
    os.remove(UNFINISHED)


def needed():
    # type: () -> list[str]
    """Return the requirement files of the studio: its own, and that of the extra, if it is named or once was."""
    extras = os.environ.get("MACAI_EXTRAS", "")
    if extras not in ("", "s3"):
        sys.exit("macai: MACAI_EXTRAS must be s3 or empty, not {0}.".format(extras))
    return ["requirements.txt"] + ([S3] if extras or os.path.exists(stamp(S3)) else [])


def stamp(name):
    # type: (str) -> str
    """Return the path of the file that says which version of a requirement file is installed."""
    return os.path.join(VENV, name + ".sha256")


def fingerprint(name):
    # type: (str) -> str
    """Return the hash of a requirement file."""
    with open(os.path.join(ROOT, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read(path):
    # type: (str) -> str
    """Return the text of a file, empty if there is none."""
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


def say(sentence):
    # type: (str) -> None
    """Tell the person what takes so long."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def main(arguments):
    # type: (list[str]) -> None
    """Install what is missing, then become the studio or its tests."""
    if sys.version_info < NEEDED:
        found = "{0}.{1} ({2})".format(sys.version_info[0], sys.version_info[1], sys.executable)
        sys.exit("macai: Python 3.11 or newer is needed; this is Python {0}.".format(found))
    if not arguments or arguments[0] not in ("run", "manage", "dev", "test"):
        sys.exit(USAGE)
    os.chdir(ROOT)
    if arguments[0] == "run":
        install(*needed())
        os.execv(PYTHON, [PYTHON, "manage.py", "up"] + arguments[1:])
    if arguments[0] == "manage":
        install(*needed())
        os.execv(PYTHON, [PYTHON, "manage.py"] + arguments[1:])
    install("requirements.txt", "requirements-dev.txt")
    if arguments[0] == "test":
        os.execv(PYTHON, [PYTHON, "-m", "pytest"] + arguments[1:])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
