"""What is Porchlight made of besides its own code, and is anything known against it?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.launch.errors import LaunchError
from bot.launch.site import Site

#: What runs, by the name under which its bill of materials is written; the tools of development run nowhere.
LOCKS = {"product": "requirements.lock", "model": "nlu/requirements.lock"}
#: Rasa holds the model's packages at old versions. They are fenced in instead: see docs/threat-model.md.
FENCED = frozenset({"model"})


class AuditBroken(LaunchError):
    """The list of packages could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """Something that is known against a package that we use."""

    lock: str
    package: str
    version: str
    number: str
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "not mended yet"
        return f"{self.lock}: {self.package} {self.version}: {self.number}, {remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What became of asking about every package of a lock file."""

    lock: str
    asked: int
    #: Of how many nothing could be learnt: the service of advisories did not answer for them.
    unknown: int
    advisories: tuple[Advisory, ...]

    @property
    def refused(self) -> bool:
        """Whether this may not be released."""
        return bool(self.advisories) and self.lock not in FENCED


def audit(site: Site, lock: str) -> Audit:
    """Ask the Python package index what is known against each package of a lock file."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(site.root / LOCKS[lock])]
    command += ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return read_audit(answer.stdout, lock=lock)
    except (ValueError, KeyError) as error:
        raise AuditBroken(f"pip-audit ended without an answer: {answer.stderr.strip()[-400:]}") from error


def read_audit(answer: str, *, lock: str) -> Audit:
    """Read what pip-audit printed as JSON; raises ``ValueError`` or ``KeyError`` if it is something else."""
    packages = json.loads(answer)["dependencies"]
    return Audit(
        lock=lock,
        asked=len(packages),
        unknown=sum("skip_reason" in package for package in packages),
        advisories=tuple(
            Advisory(
                lock=lock,
                package=package["name"],
                version=package["version"],
                number=found["id"],
                mended_in=tuple(found["fix_versions"]),
            )
            for package in packages
            for found in package.get("vulns", ())
        ),
    )


def report(site: Site, *, tell: Callable[[str], None]) -> bool:
    """Audit everything and say what was found; whether it may be released."""
    audits = [audit(site, lock) for lock in LOCKS]
    for each in audits:
        for advisory in each.advisories:
            tell(f"{advisory}{' (fenced in)' if each.lock in FENCED else ''}")
        if each.unknown:
            tell(
                f"{each.lock}: nothing could be learnt about {each.unknown} of {each.asked} packages, because"
                " the service of advisories cannot be reached from here. Run this once where it can."
            )
        else:
            tell(f"{each.lock}: {each.asked} packages, {len(each.advisories)} advisories.")
    return not any(each.refused for each in audits)


def write_bill(site: Site, folder: Path) -> list[Path]:
    """Write a bill of materials (CycloneDX 1.6, JSON) of each lock file into a folder; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, lock in LOCKS.items():
        file = folder / f"porchlight-{name}.cdx.json"
        command = [
            sys.executable,
            "-m",
            "cyclonedx_py",
            "requirements",
            "--output-reproducible",
            "--short-PURLs",
        ]
        command += ["--output-file", str(file), str(site.root / lock)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if answer.returncode:
            raise AuditBroken(f"The bill of materials was not written: {answer.stderr.strip()[-400:]}")
        files.append(file)
    return files
