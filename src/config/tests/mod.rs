//! What the settings promise as a whole; each rule of a single parser is tested beside it.

mod layers;
mod production;
mod rules;
mod secrecy;

use super::*;

/// The problems with these settings; empty if they are taken.
fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
    match Config::load(&Sources::for_tests(pairs)) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().to_vec(),
    }
}

fn loaded(pairs: &[(&str, &str)]) -> Config {
    Config::load(&Sources::for_tests(pairs)).unwrap()
}

/// What `usher config show` says of a setting.
fn shown<'a>(config: &'a Config, name: &str) -> (Option<&'a str>, &'static str) {
    let shown = config
        .shown()
        .iter()
        .find(|shown| shown.name == name)
        .unwrap();
    (shown.value.as_deref(), shown.source.as_str())
}
