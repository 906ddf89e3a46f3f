"""Check the libturbojpeg that comes along: that it is Debian's, and their newest.

    python tools/check_turbojpeg.py

Its digest must be that of `data/turbojpeg/README.md`, and the version there must be the
one that apt offers. Where apt cannot be asked, the date there counts: it must not be
longer ago than a year that somebody asked it.
"""

import hashlib
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "turbojpeg"
PACKAGE = "libturbojpeg0"
RELEASE = "12"
LONGEST = timedelta(days=365)


def described(readme: str, pattern: str) -> str:
    """What the README says."""
    found = re.search(pattern, readme)
    if found is None:
        sys.exit(f"{FOLDER / 'README.md'} does not say {pattern}")
    return found[1]


def offered() -> str | None:
    """The version that apt offers; None where it is no Debian of that release."""
    try:
        release = Path("/etc/debian_version").read_text().partition(".")[0].strip()
        if release != RELEASE:
            return None
        policy = subprocess.run(
            ["apt-cache", "policy", f"{PACKAGE}:amd64"],
            capture_output=True,
            text=True,
            check=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"Candidate: (\S+)", policy.stdout)
    is_listed = "Packages" in policy.stdout
    return found[1] if found and is_listed else None


def main() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    name = described(readme, r"`(libturbojpeg\S*\.so\.0)`")
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    if digest != described(readme, r"`([0-9a-f]{64})`"):
        sys.exit(f"{name} is not the file that its README describes: {digest}")
    version = described(readme, rf"`{PACKAGE}` (\S+),")
    newest = offered()
    if newest is not None:
        if newest != version:
            sys.exit(
                f"{name} is of {PACKAGE} {version}, and Debian has {newest}: take it"
            )
        print(f"{name} is Debian's, and its newest: {version}")
        return
    asked = date.fromisoformat(described(readme, r"asked on (\d{4}-\d{2}-\d{2})"))
    if datetime.now(UTC).date() - asked > LONGEST:
        sys.exit(f"{name}: nobody has looked for a newer one since {asked}")
    print(f"{name} is Debian's, and was its newest on {asked}: {version}")


if __name__ == "__main__":
    main()
