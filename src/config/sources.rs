//! Where settings are read from. The only place that sees the process environment; everything else gets a `Sources`.

use super::setting;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The variable that names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "USHER_CONFIG";

/// The configuration file that is read if it is there.
const DEFAULT_FILE: &str = "usher.toml";

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`: must exist.
    pub config: Option<PathBuf>,
    /// Each `--set NAME=value`.
    pub set: Vec<Zeroizing<String>>,
}

/// The configuration file.
#[derive(Debug, Clone)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// Named by somebody, so that it must exist.
    pub(super) required: bool,
}

/// Everything that settings are read from; holds secrets, hence does not print.
#[derive(Clone, Default)]
pub struct Sources {
    pub(super) set: Vec<Zeroizing<String>>,
    pub(super) environment: Vec<(String, Zeroizing<String>)>,
    /// Names of variables that concern us and are not UTF-8.
    pub(super) unreadable: Vec<String>,
    pub(super) dotenv: Option<PathBuf>,
    pub(super) file: Option<ConfigFile>,
}

impl Sources {
    /// This process: its environment, `.env` and `usher.toml` in its working directory, and these flags.
    pub fn from_process(flags: Flags) -> Self {
        let mut sources = Self {
            set: flags.set,
            dotenv: Some(PathBuf::from(".env")),
            ..Self::default()
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let variables = std::env::vars_os();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| concerns_us(name)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) => sources
                    .environment
                    .push((name.to_owned(), Zeroizing::new(value))),
                Err(_) => sources.unreadable.push(name.to_owned()),
            }
        }
        let named = flags.config.or_else(|| sources.file_by_environment());
        sources.file = Some(ConfigFile {
            required: named.is_some(),
            path: named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE)),
        });
        sources
    }

    /// Only these pairs, as if they were the environment; no file is looked at.
    pub fn for_tests(pairs: &[(&str, &str)]) -> Self {
        Self {
            environment: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned())))
                .collect(),
            ..Self::default()
        }
    }

    fn file_by_environment(&self) -> Option<PathBuf> {
        let (_, path) = self
            .environment
            .iter()
            .find(|(name, value)| name == CONFIG_VARIABLE && !value.is_empty())?;
        Some(PathBuf::from(path.as_str()))
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources(***)")
    }
}

/// Whether a variable is ours: a setting, the file of one, or anything that claims to be by its prefix.
fn concerns_us(name: &str) -> bool {
    name.starts_with("USHER_")
        || setting::find(name).is_some()
        || name
            .strip_suffix("_FILE")
            .and_then(setting::find)
            .is_some_and(setting::Setting::may_come_from_file)
}
