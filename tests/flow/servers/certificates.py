"""Authorities and certificates for one test, made with the openssl program; the repository holds no secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.flow.servers.program import program
from watchroom.demo.server import LOOPBACK


class Certificate(NamedTuple):
    """PEM files."""

    cert: Path
    key: Path

    def chain(self) -> Path:
        """Key and certificate in one file, as Kafka wants a PEM key store."""
        both = self.cert.with_suffix(".chain.pem")
        both.write_text(self.key.read_text() + self.cert.read_text())
        return both


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._openssl = program("OpenSSL", "openssl")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._run(
            "req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.ca, "-days", "30", "-subj", f"/CN={name}"
        )

    def sign(self, name: str, *, addresses: str = f"IP:{LOOPBACK}", valid: bool = True) -> Certificate:
        """A certificate for these addresses (subjectAltName); `valid=False`: it has expired."""
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={addresses}\n")
        self._run("req", *_NEW_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
        signing: list[str | Path] = [
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.ca,
            "-CAkey",
            self._key,
            "-CAcreateserial",
        ]
        days = "30" if valid else "0"  # expired when it is first used
        self._run(*signing, "-out", made.cert, "-days", days, "-extfile", extensions)
        return made

    def _run(self, *arguments: str | Path) -> None:
        done = subprocess.run([self._openssl, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
