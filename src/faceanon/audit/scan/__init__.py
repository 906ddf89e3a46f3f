"""The leak scanner: what a file holds beside its picture.

It imports nothing of the other rooms but errors, so that it can be the check on what
writes files: each format is walked by a parser of its own, and what no structure
accounts for is a finding, too.
"""

from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.scanner import scan

__all__ = ["Finding", "Kind", "scan"]
