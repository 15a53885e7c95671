//! Tells Zed how khoj-ls is started and what its settings are; all the rest is the server's.

use zed_extension_api::{self as zed, serde_json::Value, settings::LspSettings, LanguageServerId, Result, Worktree};

const MISSING: &str = "khoj-ls is not installed, or not on the PATH that Zed sees: `pipx install khoj-ls`, \
                       or name it in the settings under lsp.khoj-ls.binary.path";

struct KhojLs;

impl zed::Extension for KhojLs {
    fn new() -> Self {
        KhojLs
    }

    fn language_server_command(&mut self, server: &LanguageServerId, worktree: &Worktree) -> Result<zed::Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)?.binary;
        let (path, arguments) = binary.map_or((None, None), |binary| (binary.path, binary.arguments));
        Ok(zed::Command {
            command: path.or_else(|| worktree.which("khoj-ls")).ok_or(MISSING)?,
            args: arguments.unwrap_or_default(),
            env: worktree.shell_env(),
        })
    }

    fn language_server_initialization_options(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        Ok(LspSettings::for_worktree(server.as_ref(), worktree)?.initialization_options)
    }

    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        Ok(LspSettings::for_worktree(server.as_ref(), worktree)?.settings)
    }
}

zed::register_extension!(KhojLs);
