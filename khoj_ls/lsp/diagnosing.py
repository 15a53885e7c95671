"""Findings as LSP diagnostics: what both the reports and the quick fixes work on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lsprotocol import types

from khoj_ls.config.editor_settings import DiagnosticsSettings
from khoj_ls.graph.diagnose import CODES, Code, Finding, Related, diagnose
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.lsp.asked import Asked
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault

SOURCE = "khoj"
_SEVERITIES: MappingProxyType[str, types.DiagnosticSeverity] = MappingProxyType(
    {
        "error": types.DiagnosticSeverity.Error,
        "warning": types.DiagnosticSeverity.Warning,
        "information": types.DiagnosticSeverity.Information,
        "hint": types.DiagnosticSeverity.Hint,
    }
)


def severities(settings: DiagnosticsSettings) -> Mapping[Code, types.DiagnosticSeverity]:
    """How serious each kind of finding is; those that are off are left out."""
    named = {code: getattr(settings, code.replace("-", "_")) for code in CODES}
    return {code: _SEVERITIES[value] for code, value in named.items() if value in _SEVERITIES}


class Reporter:
    """Writes diagnostics as one client takes them."""

    def __init__(self, server: KhojServer, vault: Vault) -> None:
        """Write for the client of `server` about notes of `vault`, under the settings that hold for it in the session now."""
        capabilities = server.client_capabilities.text_document
        push = capabilities.publish_diagnostics if capabilities else None
        pull = capabilities.diagnostic if capabilities else None
        self.severities = severities(server.session.settings_of(vault).diagnostics)
        self._related = bool((push and push.related_information) or (pull and pull.related_information))

    def findings(self, network: LinkNetwork, about: Asked) -> list[Finding]:
        """What is wrong in a document and is to be reported."""
        return diagnose(network, about.note, self.severities) if self.severities else []

    def diagnostic(self, about: Asked, finding: Finding) -> types.Diagnostic:
        """One finding."""
        related = None
        if self._related and finding.related:
            related = [self._information(about, each) for each in finding.related]
        return types.Diagnostic(
            range=about.positions.range(finding.start, finding.end),
            message=finding.message,
            severity=self.severities[finding.code],
            code=finding.code,
            source=SOURCE,
            related_information=related,
        )

    def _information(self, about: Asked, related: Related) -> types.DiagnosticRelatedInformation:
        if related.path == about.path:
            shown = about.positions.range(related.span.start, related.span.end)
        else:
            # The beginning of a line is the same in every encoding.
            start = types.Position(line=related.span.line - 1, character=0)
            shown = types.Range(start=start, end=start)
        location = types.Location(uri=about.uri_of(related.path), range=shown)
        return types.DiagnosticRelatedInformation(location=location, message=f"{related.path}: {related.message}")
