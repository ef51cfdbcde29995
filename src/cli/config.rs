//! `usher config check` and `usher config show`: what they print. Secrets are hidden before they get here.

use crate::config::{self, Config, ConfigError, Shown, Sources};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum Command {
    /// Tell whether the settings are right, and everything that is wrong.
    Check,
    /// Show every setting and where it came from; secrets are hidden.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print every setting with its default and what it means: the example of a `.env` file.
    Example {
        /// As a Markdown table.
        #[arg(long)]
        markdown: bool,
    },
}

impl Command {
    /// Runs it.
    pub fn run(self, sources: &Sources) -> anyhow::Result<()> {
        match self {
            Self::Check => super::say(&check(sources)?),
            Self::Example { markdown: true } => super::say(&config::markdown_table()),
            Self::Example { markdown: false } => super::say(config::env_example().trim_end()),
            Self::Show { json } => super::say(&show(&Config::load(sources)?, json)),
        }
    }
}

/// One line that says the settings are fine; the error has one for everything that is wrong.
fn check(sources: &Sources) -> Result<String, ConfigError> {
    let config = Config::load(sources)?;
    let set = config.shown().iter().filter(|shown| shown.is_set()).count();
    let environment = if config.is_production() {
        "production"
    } else {
        "development"
    };
    Ok(format!(
        "The settings are valid for {environment}; {set} are set, the others have their defaults."
    ))
}

/// `NAME=value` lines with the source behind, or JSON `[{name, value, source}]`.
pub fn show(config: &Config, as_json: bool) -> String {
    if as_json {
        let items: Vec<Value> = config.shown().iter().map(json_item).collect();
        return format!("{:#}", Value::from(items));
    }
    let lines: Vec<String> = config.shown().iter().map(line).collect();
    lines.join("\n")
}

fn json_item(shown: &Shown) -> Value {
    json!({
        "name": shown.name,
        "value": shown.value,
        "source": shown.source.as_str(),
    })
}

fn line(shown: &Shown) -> String {
    let value = shown.value.as_deref().unwrap_or_default();
    format!("{}={value}  # {}", shown.name, shown.source.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_line_with_its_source() {
        let config = Config::for_tests(&[("DOCS", "off"), ("METRICS_TOKEN", "abc")]).unwrap();
        let text = show(&config, false);
        assert!(text.contains("\nDOCS=off  # environment\n"));
        assert!(text.contains("\nMETRICS_TOKEN=***  # environment\n"));
        assert!(text.contains("\nADMIN_LISTEN=  # default\n"));
        assert_eq!(text.lines().count(), config.shown().len());
    }

    #[test]
    fn json_has_name_value_and_source() {
        let config = Config::for_tests(&[("DOCS", "off")]).unwrap();
        let items: Vec<Value> = serde_json::from_str(&show(&config, true)).unwrap();
        let expected = json!({ "name": "DOCS", "value": "off", "source": "environment" });
        assert!(items.contains(&expected));
        let unset = json!({ "name": "ADMIN_LISTEN", "value": null, "source": "default" });
        assert!(items.contains(&unset));
    }

    #[test]
    fn a_check_tells_every_problem() {
        let wrong = Sources::for_tests(&[("DOCS", "x"), ("LISTEN", "y")]);
        assert_eq!(check(&wrong).unwrap_err().problems().len(), 2);
        let right = Sources::for_tests(&[("DOCS", "off")]);
        assert!(check(&right).unwrap().contains("development; 1 are set"));
    }
}
