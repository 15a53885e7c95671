"""What khoj/plugins answers."""

from __future__ import annotations

from khoj_ls.vault.plugin_report import PluginReport
from khoj_ls.wire.plugin_messages import LoadedPlugin, PluginHook, PluginsResult, RefusedPlugin, ServedExtension


def plugins_result(report: PluginReport) -> PluginsResult:
    """The report as it travels."""
    return PluginsResult(
        report.folder,
        [
            LoadedPlugin(
                each.name,
                each.kind,
                each.origin,
                each.priority,
                list(each.brings),
                [PluginHook(hook.hook, hook.state, hook.calls, hook.failures, hook.last_error) for hook in each.hooks],
            )
            for each in report.plugins
        ],
        [ServedExtension(each.extension, each.type, each.plugin, each.priority, list(each.lost)) for each in report.served],
        [RefusedPlugin(each.plugin, each.origin, each.error) for each in report.problems],
    )
