//! Lays the sources over each other: default < `usher.toml` < `.env` (development only) < environment < flags. An
//! empty value takes a setting back to its default.

use super::{
    environment::Environment,
    files,
    names::{self, Named},
    setting::{self, Fallback},
    sources::{CONFIG_VARIABLE, ConfigFile, Sources},
};
use std::{collections::BTreeMap, path::Path};
use zeroize::Zeroizing;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Default,
    ConfigFile,
    DotEnv,
    Environment,
    Flag,
    /// The file that `NAME_FILE` names.
    SecretFile,
}

impl Source {
    /// The name that `usher config show` gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::ConfigFile => "usher.toml",
            Self::DotEnv => ".env",
            Self::Environment => "environment",
            Self::Flag => "flag",
            Self::SecretFile => "file",
        }
    }
}

/// A value and where it came from; does not print.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) text: Zeroizing<String>,
    pub(super) source: Source,
}

/// The values that were set, by name.
pub(super) type Values = BTreeMap<&'static str, Found>;

/// What a layer says about one setting.
#[derive(Default)]
struct Given {
    value: Option<Zeroizing<String>>,
    file: Option<Zeroizing<String>>,
}

type Layer = BTreeMap<&'static str, Given>;

/// Gathers the layers and what is wrong with them.
#[derive(Default)]
pub(super) struct Layers {
    values: Values,
    files: BTreeMap<&'static str, Zeroizing<String>>,
    pub(super) problems: Vec<String>,
}

impl Layers {
    /// Reads all sources.
    pub(super) fn read(sources: &Sources) -> (Environment, Values, Vec<String>) {
        let mut layers = Self::default();
        let lowest = layers.config_file(sources.file.as_ref());
        let process = layers.environment(sources);
        let flags = layers.flags(sources);

        let environment = layers.environment_of(&[&flags, &process, &lowest]);
        layers.put(lowest, Source::ConfigFile);
        if environment == Environment::Development
            && let Some(path) = &sources.dotenv
        {
            let dotenv = layers.dotenv(path);
            layers.put(dotenv, Source::DotEnv);
        }
        layers.put(process, Source::Environment);
        layers.put(flags, Source::Flag);
        layers.open_files();
        (environment, layers.values, layers.problems)
    }

    /// `ENVIRONMENT` decides whether `.env` is read, so it is looked up before the layers are joined.
    fn environment_of(&mut self, layers: &[&Layer]) -> Environment {
        let text = layers
            .iter()
            .find_map(|layer| layer.get("ENVIRONMENT")?.value.as_ref())
            .filter(|text| !text.trim().is_empty());
        let Some(text) = text else {
            return Environment::Development;
        };
        Environment::parse(text.trim()).unwrap_or_else(|| {
            self.problems
                .push("ENVIRONMENT must be development or production".to_owned());
            Environment::Development
        })
    }

    fn config_file(&mut self, file: Option<&ConfigFile>) -> Layer {
        let mut layer = Layer::new();
        match file.map_or_else(|| Ok(toml::Table::new()), files::read_table) {
            Ok(table) => {
                for (name, value) in table {
                    self.toml_entry(&mut layer, &name, value);
                }
            }
            Err(problem) => self.problems.push(problem),
        }
        layer
    }

    fn toml_entry(&mut self, layer: &mut Layer, name: &str, value: toml::Value) {
        let upper = name.to_uppercase();
        let known = names::resolve(&upper).filter(|_| name == name.to_lowercase());
        let Some(named) = known else {
            self.problems.push(names::unknown("usher.toml", name, true));
            return;
        };
        match files::toml_text(value) {
            Some(text) => give(layer, named, text),
            None => self.problems.push(format!(
                "usher.toml: {name} must be text, a whole number, true, false or a list of texts"
            )),
        }
    }

    fn dotenv(&mut self, path: &Path) -> Layer {
        let mut layer = Layer::new();
        let (pairs, problem) = files::read_pairs(path);
        self.problems.extend(problem);
        for (name, value) in pairs {
            if name == "ENVIRONMENT" && value.trim() == "production" {
                self.problems.push(
                    "ENVIRONMENT=production has no place in .env, which is read in development only"
                        .to_owned(),
                );
            }
            self.entry(&mut layer, ".env", &name, value);
        }
        layer
    }

    fn environment(&mut self, sources: &Sources) -> Layer {
        let mut layer = Layer::new();
        for name in &sources.unreadable {
            self.problems
                .push(format!("environment: {name} must be UTF-8"));
        }
        for (name, value) in &sources.environment {
            if name != CONFIG_VARIABLE && !names::is_service_link(name) {
                self.entry(&mut layer, "environment", name, value.clone());
            }
        }
        layer
    }

    fn flags(&mut self, sources: &Sources) -> Layer {
        let mut layer = Layer::new();
        for flag in &sources.set {
            match flag.split_once('=') {
                Some((name, value)) => {
                    let value = Zeroizing::new(value.to_owned());
                    self.entry(&mut layer, "--set", name, value);
                }
                None => self
                    .problems
                    .push("--set must be of the form NAME=value".to_owned()),
            }
        }
        layer
    }

    fn entry(&mut self, layer: &mut Layer, place: &str, name: &str, value: Zeroizing<String>) {
        match names::resolve(name) {
            Some(named) => give(layer, named, value),
            None => self.problems.push(names::unknown(place, name, false)),
        }
    }

    fn put(&mut self, layer: Layer, source: Source) {
        for (name, given) in layer {
            self.values.remove(name);
            self.files.remove(name);
            let value = given.value.filter(|text| !text.trim().is_empty());
            let file = given.file.filter(|path| !path.trim().is_empty());
            match (value, file) {
                (Some(_), Some(_)) => self.problems.push(format!(
                    "{}: set {name} or {name}_FILE, not both",
                    source.as_str()
                )),
                (Some(text), None) => {
                    self.values.insert(name, Found { text, source });
                }
                (None, Some(path)) => {
                    self.files.insert(name, path);
                }
                (None, None) => {}
            }
        }
    }

    fn open_files(&mut self) {
        for (name, path) in std::mem::take(&mut self.files) {
            match files::read_secret(Path::new(path.as_str())) {
                Ok(text) => {
                    let source = Source::SecretFile;
                    self.values.insert(name, Found { text, source });
                }
                // Not the path: it may be the secret itself, given to the wrong name.
                Err(why) => self
                    .problems
                    .push(format!("{name}_FILE must name a readable file: {why}")),
            }
        }
    }
}

fn give(layer: &mut Layer, named: Named, text: Zeroizing<String>) {
    match named {
        Named::Value(setting) => layer.entry(setting.name).or_default().value = Some(text),
        Named::File(setting) => layer.entry(setting.name).or_default().file = Some(text),
    }
}

/// The value of a setting, or else its fixed default.
pub(super) fn value_or_default(values: &Values, name: &str) -> Option<Zeroizing<String>> {
    if let Some(found) = values.get(name) {
        return Some(found.text.clone());
    }
    match setting::find(name)?.fallback {
        Fallback::Fixed(text) => Some(Zeroizing::new(text.to_owned())),
        Fallback::Derived(_) | Fallback::Unset => None,
    }
}
